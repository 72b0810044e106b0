// What the page's tests share: Chromium ($CHROMIUM, else Debian's), tabs that watch for problems, the keyboard.

import assert from "node:assert/strict";
import { after, before } from "node:test";

import { chromium } from "playwright-core";

/** Of the server that is tested, with a slash at its end. */
export const url = process.env.ONGGI_URL;
export const desktop = { width: 1280, height: 900 };
export const phone = { width: 360, height: 740 };
let browser;

before(async () => {
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args });
});
after(() => browser?.close());

/** A tab of its own that fails the test for anything on the console, any error and any request to another host. */
export async function open(t, { hash = "", locale = "en-US", ...options } = {}) {
  const context = await browser.newContext({
    viewport: desktop,
    locale,
    permissions: ["clipboard-read", "clipboard-write"],
    ...options,
  });
  const page = await context.newPage();
  const problems = [];
  page.expected = []; // Parts of messages that a test brings about.
  page.on("console", (message) => problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(error.stack));
  page.on("request", (request) => request.url().startsWith(url) || problems.push(`a request to ${request.url()}`));
  t.after(async () => {
    await context.close();
    assert.deepEqual(
      problems.filter((text) => !page.expected.some((part) => text.includes(part))),
      [],
    );
  });
  await page.goto(url + hash);
  await page.waitForFunction(() => document.querySelector("[name=model]")?.options.length > 0);
  return page;
}

/** Presses Tab until the focus is there. */
export async function tabTo(page, selector) {
  for (let i = 0; i < 80; ++i) {
    if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`Tab does not lead to ${selector}`);
}

/** By keyboard: the option of a list, whose name has no other before it that begins the same. */
export async function choose(page, selector, name) {
  await tabTo(page, selector);
  await page.keyboard.type(name);
}

export async function type(page, selector, text) {
  await tabTo(page, selector);
  await page.keyboard.insertText(text);
}

export const isDone = () => document.querySelector("#run").getAttribute("aria-disabled") === "false";
export const answered = (page) => page.waitForFunction(isDone);
export const texts = (page, selector) => page.locator(selector).allTextContents();
export const settings = "max_tokens=12&seed=5";
