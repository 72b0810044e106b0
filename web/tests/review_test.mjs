// What people do on the review page, by keyboard, and what holds for all of it. tests/e2e/review_page_test.py starts the
// server, whose items half are for two people.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import test, { after, before } from "node:test";

import { assertNoProblems, desktop, launch, openTab, phone, url } from "./review_browser.mjs";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

async function open(t, name, options = {}) {
  const page = await openTab(browser, { name, ...options });
  page.expected = [];
  t.after(async () => {
    await page.context().close();
    assertNoProblems(page, page.expected);
  });
  await page.waitForFunction(() => !document.querySelector("#item").hidden || location.hash.length > 1);
  return page;
}

const key = (page) => page.evaluate(() => document.querySelector("#item").dataset.key);
const text = (page, selector) => page.locator(selector).textContent();
const saved = (page) => page.waitForFunction(() => document.querySelector("#line").textContent === "Everything is saved");
const leaves = (page, old) => page.waitForFunction((was) => document.querySelector("#item").dataset.key !== was, old);
const comesTo = (page, wanted) => page.waitForFunction((is) => document.querySelector("#item").dataset.key === is, wanted);

async function api(person, path, body) {
  const response = await fetch(`${url}api/${path}`, {
    method: body ? "POST" : "GET",
    headers: { "x-onggi-person": encodeURIComponent(person), ...(body && { "content-type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  assert.equal(response.status, 200, await response.clone().text());
  return response.json();
}

/** Goes on to an item that has themes which break no rule. */
async function toThemes(page) {
  const isGood = () => page.evaluate(() => document.querySelectorAll("#shown .cards > li").length > 0 && !document.querySelector("#shown .faults"));
  while (!(await isGood())) {
    const old = await key(page);
    await page.keys.press("KeyJ");
    await leaves(page, old);
  }
}

test("a name is asked for once, and Enter that ends a syllable does not send it", async (t) => {
  const page = await openTab(browser, { name: "" });
  t.after(() => page.context().close());
  await page.locator("#who[open]").waitFor();
  await page.keys.session.send("Input.imeSetComposition", { text: "하", selectionStart: 1, selectionEnd: 1 });
  await page.keys.session.send("Input.dispatchKeyEvent", { type: "rawKeyDown", code: "Enter", key: "Process", windowsVirtualKeyCode: 229 });
  assert.ok(await page.locator("#who[open]").isVisible());
  await page.keys.session.send("Input.insertText", { text: "하나" });
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => !document.querySelector("#item").hidden);
  assert.equal(await text(page, "#person-name"), "하나");
  await page.reload();
  await page.waitForFunction(() => !document.querySelector("#item").hidden);
  assert.equal(await page.locator("#who[open]").count(), 0);
});

test("jamo of the command keys do what their places say, and undo goes back across items", async (t) => {
  const page = await open(t, "keys");
  await toThemes(page);
  const first = await key(page);
  await page.keys.press("KeyA");
  await leaves(page, first);
  const second = await key(page);
  await page.keys.press("KeyR");
  await page.keys.press("Digit3");
  await leaves(page, second);
  const third = await key(page);
  await page.keys.press("KeyS");
  await leaves(page, third);
  for (const [wanted, state] of [[third, "Skipped"], [second, "Rejected"], [first, "Accepted"]]) {
    await page.keys.press("KeyU");
    await comesTo(page, wanted);
    assert.ok(await page.locator("#decided").isHidden(), state);
  }
  await page.keys.press("KeyU");
  assert.match(await text(page, "#spoken"), /Nothing to undo/);
  await saved(page);
  assert.equal((await api("keys", "progress")).mine, 0);
  await page.keys.press("KeyJ");
  await leaves(page, first);
  await page.keys.press("KeyK");
  await comesTo(page, first);
});

test("what is decided can be looked at again and decided otherwise", async (t) => {
  const page = await open(t, "again");
  await toThemes(page);
  const first = await key(page);
  await page.keys.press("KeyA");
  await leaves(page, first);
  await page.keys.press("KeyK");
  await comesTo(page, first);
  assert.equal(await text(page, "#decided"), "Accepted as it is");
  await page.keys.press("KeyR");
  await page.keys.press("Digit2");
  await leaves(page, first);
  await saved(page);
  const progress = await api("again", "progress");
  assert.equal(progress.mine, 1);
});

test("rules that are broken are shown while typing, and what breaks them goes only when asked for twice", async (t) => {
  const page = await open(t, "rules");
  await toThemes(page);
  const first = await key(page);
  await page.keys.press("KeyE");
  assert.equal(await page.evaluate(() => document.activeElement.name), "expression");
  await page.keyboard.press("End");
  await page.keys.compose("요!");
  await page.waitForFunction(() => /adnominal form · characters/.test(document.querySelector("#editor .wrong").textContent));
  const described = await page.evaluate(() => document.getElementById(document.activeElement.getAttribute("aria-describedby")).textContent);
  assert.match(described, /adnominal/);
  assert.match(await text(page, "#change-list ins"), /요!/);
  await page.keys.press("Enter", { control: true });
  await page.waitForFunction(() => document.querySelector("#notice").textContent !== "");
  assert.equal(await key(page), first);
  await page.keys.press("Enter", { control: true });
  await leaves(page, first);
  await page.keys.press("KeyU");
  await comesTo(page, first);
  assert.equal(await page.evaluate(() => document.activeElement.name), "expression");
  assert.match(await page.inputValue("#editor [name=expression]"), /요!$/);
  await page.keys.press("Escape");
  assert.ok(await page.locator("#editor").isHidden());
  await page.keys.press("KeyE");
  const count = await page.locator("#editor .lines > .line").count();
  await page.locator("#editor .add").press("Enter");
  assert.equal(await page.locator("#editor .lines > .line").count(), count + 1);
  await page.locator("#editor .remove").last().press("Enter");
  assert.equal(await page.locator("#editor .lines > .line").count(), count);
});

test("Ctrl+Enter inside a syllable does not submit", async (t) => {
  const page = await open(t, "compose");
  await toThemes(page);
  const first = await key(page);
  await page.keys.press("KeyE");
  await page.keys.session.send("Input.imeSetComposition", { text: "하", selectionStart: 1, selectionEnd: 1 });
  await page.evaluate(() =>
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { code: "Enter", key: "Enter", ctrlKey: true, isComposing: true, bubbles: true, cancelable: true })),
  );
  await page.waitForTimeout(600);
  assert.equal(await key(page), first);
});

test("without a server the person goes on, over a reload too, and all of it arrives once", async (t) => {
  const page = await open(t, "cut");
  page.expected = ["ERR_FAILED", "ERR_INTERNET"];
  const sent = [];
  await page.route("**/api/events", (route) => route.abort());
  for (let i = 0; i < 5; ++i) {
    const old = await key(page);
    await page.keys.press("KeyR");
    await page.keys.press("Digit1");
    await leaves(page, old);
  }
  await page.waitForFunction(() => document.querySelector("#line").textContent === "No server: 5 kept here");
  await page.reload();
  await page.waitForFunction(() => !document.querySelector("#item").hidden);
  await page.waitForFunction(() => document.querySelector("#line").textContent === "No server: 5 kept here");
  // The answer is lost on its way: the page can't know that the server has it all.
  await page.unroute("**/api/events");
  await page.route(
    "**/api/events",
    async (route) => {
      sent.push(route.request().postDataJSON().events.length);
      await route.fetch();
      await route.abort();
    },
    { times: 1 },
  );
  await saved(page);
  assert.deepEqual(sent, [5]);
  assert.equal((await api("cut", "progress")).mine, 5);
});

test("a decision that was made elsewhere meanwhile is not written over", async (t) => {
  const page = await open(t, "twice");
  const first = await key(page);
  await api("twice", "events", { events: [{ id: "elsewhere-1", kind: "decide", item: first, version: 0, action: "reject", reason: 2 }] });
  await page.keys.press("KeyR");
  await page.keys.press("Digit1");
  await page.locator("#problems li").waitFor();
  assert.match(await text(page, "#problems li"), /decided elsewhere/);
  await page.keys.press("KeyK");
  await comesTo(page, first);
  assert.equal(await text(page, "#decided"), "Rejected: complaint or hedge");
  await page.keys.press("KeyR");
  await page.keys.press("Digit4");
  await leaves(page, first);
  await saved(page);
  await page.locator("#problems-clear").press("Enter");
  assert.ok(await page.locator("#problems").isHidden());
});

test("an adjudicator has the last word, by keyboard, without knowing whose the opinions are", async (t) => {
  const [a, b] = await Promise.all(["first one", "second one"].map(async (person) => (await api(person, "lease", { count: 100 })).items));
  const shared = a.filter((item) => b.some((other) => other.key === item.key)).slice(0, 6); // Among them gold, up to three.
  for (const [i, item] of shared.entries()) {
    const decide = (person, more) => api(person, "events", { events: [{ id: `event-${person.replace(" ", "-")}-${i}`, kind: "decide", item: item.key, ...more }] });
    await decide("first one", { action: "reject", reason: 3 });
    await decide("second one", { action: "edit", answer: [] });
  }
  const count = (await api("boss", "disputes")).items.length;
  assert.ok(count >= 3, `${count} disputes`);
  const page = await open(t, "boss", { hash: "#settle" });
  const left = (wanted) =>
    page.waitForFunction((number) => document.querySelector("#settle-state").textContent === `${number} left`, wanted);
  await left(count);
  const shown = await text(page, "#settle");
  assert.ok(!shown.includes("first one") && !shown.includes("second one"), shown);
  assert.equal(await page.locator("#opinions > li").count(), 2);
  await page.keys.press("Digit2");
  await left(count - 1);
  await page.keys.press("KeyE");
  await page.locator("#settle-editor-box").waitFor();
  await page.keys.press("Enter", { control: true });
  await left(count - 2);
  await saved(page);
  assert.equal((await api("boss", "disputes")).items.length, count - 2);
  await page.keys.press("KeyU");
  await left(count - 1);
});

test("answers that are alike are accepted at once after a sample of them was", async (t) => {
  const page = await open(t, "many", { hash: "#alike" });
  await page.locator("#alike-list > li").first().waitFor();
  const size = Number((await text(page, "#alike-list > li:first-child .help")).match(/of (\d+) open/)[1]);
  await page.locator("#alike-list > li:first-child button").first().press("Enter");
  await page.waitForFunction(() => !document.querySelector("#judge").hidden && !document.querySelector("#item").hidden);
  const count = Number((await text(page, "#spoken")).match(/sample of (\d+)/)[1]);
  assert.ok(count >= 5 && count <= 50 && count < size, `${count} of ${size}`);
  for (let i = 0; i < count; ++i) {
    const old = await key(page);
    await page.keys.press("KeyA");
    await leaves(page, old);
  }
  await saved(page);
  const before = (await api("many", "progress")).mine;
  await page.goto(`${url}#alike`);
  await page.locator("#alike-list > li:first-child button").first().press("Enter");
  await page.locator("#alike-list .primary:visible").press("Enter");
  await page.waitForFunction(() => /accepted at once/.test(document.querySelector("#spoken").textContent));
  assert.ok((await api("many", "progress")).mine > before);
});

test("guidelines, keys and progress are a key away, and letters can be switched off", async (t) => {
  const page = await open(t, "sheet");
  assert.ok(await page.locator("#guideline").isVisible());
  assert.match(await text(page, "#guideline"), /Version [0-9a-f]{8}[\s\S]*Rules for a theme/);
  await page.keys.press("KeyG");
  assert.ok(await page.locator("#guideline").isHidden());
  await page.keyboard.press("Shift+Slash");
  await page.locator("#sheet[open]").waitFor();
  assert.match(await text(page, "#sheet"), /accept as it is/);
  await page.locator("#letters").press("Space");
  await page.keyboard.press("Escape");
  const first = await key(page);
  await page.keys.press("KeyA");
  await page.waitForTimeout(200);
  assert.equal(await key(page), first);
  await page.goto(`${url}#progress`);
  await page.waitForFunction(() => /of \d+ items are done/.test(document.querySelector("#progress-line").textContent));
  assert.match(await text(page, "#progress-left"), /labels left/);
  assert.match(await text(page, "#people"), /first one/);
});

test("everybody can read it: no serious findings, nothing cut, in the dark, at 360 pixels and in Korean", async (t) => {
  const check = async (page, where) => {
    await page.evaluate(() => document.getAnimations().forEach((animation) => animation.finish()));
    const findings = await page.evaluate(async (source) => {
      if (!globalThis.axe) globalThis.eval(source);
      const result = await globalThis.axe.run(document, { resultTypes: ["violations"] });
      return result.violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
    }, axeSource);
    assert.deepEqual(findings, [], where);
    const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(inner <= outer, `${where}: ${inner} pixels of content in ${outer}`);
  };
  for (const [name, options] of [
    ["phone in the dark", { viewport: phone, colorScheme: "dark", locale: "ko-KR" }],
    ["desktop", { viewport: desktop, locale: "en-US" }],
  ]) {
    const page = await open(t, "reader", { bypassCSP: true, ...options }); // For axe, which is no file of the page.
    await toThemes(page);
    await check(page, name);
    await page.keys.press("KeyG");
    await check(page, `${name}, guidelines`);
    await page.keys.press("KeyE");
    await page.keyboard.press("End");
    await page.keys.compose("요");
    await page.locator("#editor [aria-invalid]").waitFor();
    await check(page, `${name}, editing`);
    await page.keys.press("Escape");
    await page.keys.press("KeyR");
    await check(page, `${name}, rejecting`);
    await page.keys.press("Escape");
    await page.locator("#sheet-button").press("Enter");
    await check(page, `${name}, keys`);
    await page.keyboard.press("Escape");
    for (const view of ["settle", "alike", "progress"]) {
      await page.goto(`${url}#${view}`);
      await page.waitForTimeout(300);
      await check(page, `${name}, ${view}`);
    }
  }
});

test("a screen reader hears what happened and what is next", async (t) => {
  const page = await open(t, "listener");
  await toThemes(page);
  const first = await key(page);
  await page.keys.press("KeyA");
  await leaves(page, first);
  assert.equal(await page.evaluate(() => document.activeElement.id), "item");
  const title = await text(page, "#title");
  assert.equal(await text(page, "#spoken"), `Accepted. ${title}`);
  const snapshot = await page.locator("#item").ariaSnapshot();
  assert.match(snapshot, /heading "The model's answer"/);
});
