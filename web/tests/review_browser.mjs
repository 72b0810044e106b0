// What the tests of the review page share: Chromium, a person who has said a name, keys as a Korean IME sends them.

import assert from "node:assert/strict";

import { chromium } from "playwright-core";

export const url = process.env.ONGGI_URL;
export const desktop = { width: 1280, height: 900 };
export const phone = { width: 360, height: 740 };

export function launch() {
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args });
}

/** A tab of `name`, with a list of all that went wrong in it; `expected`: parts of messages that a test brings about. */
export async function openTab(browser, { name = "hana", hash = "", locale = "en-US", token = "", ...options } = {}) {
  const context = await browser.newContext({ viewport: desktop, locale, ...options });
  const page = await context.newPage();
  page.problems = [];
  page.on("console", (message) => page.problems.push(message.text()));
  page.on("pageerror", (error) => page.problems.push(error.stack));
  page.on("request", (request) => request.url().startsWith(url) || page.problems.push(`a request to ${request.url()}`));
  await page.addInitScript(
    ([person, secret]) => {
      if (person) localStorage.setItem("onggi.review.person", person);
      if (secret) sessionStorage.setItem("onggi.review.token", secret);
    },
    [name, token],
  );
  await page.goto(url + hash);
  page.keys = new Keys(page, await context.newCDPSession(page));
  return page;
}

export function assertNoProblems(page, expected = []) {
  assert.deepEqual(
    page.problems.filter((text) => !expected.some((part) => text.includes(part))),
    [],
  );
}

const jamo = { KeyA: "ㅁ", KeyE: "ㄷ", KeyR: "ㄱ", KeyS: "ㄴ", KeyU: "ㅕ", KeyJ: "ㅓ", KeyK: "ㅏ", KeyG: "ㅎ" };
const initials = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";

/** A keyboard with a Korean IME on. */
class Keys {
  constructor(page, session) {
    Object.assign(this, { page, session });
  }

  /** A key by its place, as `KeyA`; letters come as jamo. */
  async press(code, { control = false } = {}) {
    const key = jamo[code] ?? code.replace(/^Digit/, "");
    const base = { code, key, modifiers: control ? 2 : 0, windowsVirtualKeyCode: virtualKey(code) };
    await Promise.all(["rawKeyDown", "keyUp"].map((type) => this.session.send("Input.dispatchKeyEvent", { type, ...base })));
  }

  /** Hangul as it is composed: each syllable from its first consonant on, then set down. */
  async compose(text) {
    const sent = [];
    const send = (method, parameters) => sent.push(this.session.send(`Input.${method}`, parameters));
    for (const syllable of text) {
      const code = syllable.charCodeAt(0) - 0xac00;
      if (code >= 0 && code < 11172) {
        const open = 0xac00 + code - (code % 28);
        for (const step of [initials[Math.floor(code / 588)], String.fromCharCode(open), syllable])
          send("imeSetComposition", { text: step, selectionStart: step.length, selectionEnd: step.length });
      }
      send("insertText", { text: syllable });
    }
    await Promise.all(sent); // One after the other there; waited for once.
  }
}

function virtualKey(code) {
  if (code.startsWith("Key")) return code.charCodeAt(3);
  if (code.startsWith("Digit")) return code.charCodeAt(5);
  return { Enter: 13, Escape: 27, Home: 36, End: 35, Tab: 9, ArrowRight: 39, ArrowLeft: 37 }[code] ?? 0;
}
