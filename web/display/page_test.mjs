// The page of `onggi display serve` in Chromium. tests/e2e/display_page_test.py starts the server and names it in ONGGI_URL.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import test, { after, before } from "node:test";

import { chromium } from "playwright-core";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const url = process.env.ONGGI_URL;
let browser;

before(async () => {
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args });
});
after(() => browser?.close());

async function open(t, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-US", ...options });
  const page = await context.newPage();
  const problems = [];
  page.on("console", (message) => problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(error.stack));
  page.on("request", (request) => request.url().startsWith(url) || problems.push(`a request to ${request.url()}`));
  t.after(async () => {
    await context.close();
    assert.deepEqual(problems, []);
  });
  await page.goto(url);
  await page.waitForFunction(() => document.querySelectorAll("#cards tr").length > 0);
  return page;
}

test("cards, posteriors and history are those of the server", async (t) => {
  const page = await open(t);
  const stats = await (await fetch(`${url}v1/stats`)).json();
  assert.equal(await page.locator("#cards tr").count(), stats.cards.length);
  assert.equal(await page.locator("#posteriors polyline").count(), 4);
  assert.equal(await page.locator("#history polyline").count(), 4);
  const best = stats.cards.reduce((a, b) => (b.chance > a.chance ? b : a));
  assert.match(await page.locator("#cards tr").first().textContent(), new RegExp(best.expression));
  assert.match(await page.locator("#versions").textContent(), /1\. thompson \(live\)/);
  if (process.env.ONGGI_PICTURES) await page.screenshot({ path: `${process.env.ONGGI_PICTURES}/display-desktop.png`, fullPage: true });
});

test("cards are chosen by keyboard, the focus stays, and a pause holds the page still", async (t) => {
  const page = await open(t);
  const fifth = page.locator("#cards input").nth(4);
  await fifth.focus();
  await page.keyboard.press("Space");
  await page.waitForFunction(() => document.querySelectorAll("#posteriors polyline").length === 5);
  assert.ok(await page.evaluate(() => document.activeElement.matches("#cards input:checked")));
  await page.locator("#pause").press("Enter");
  assert.equal(await page.locator("#pause").getAttribute("aria-pressed"), "true");
  const before = await page.locator("#summary").textContent();
  await page.waitForTimeout(4000);
  assert.equal(await page.locator("#summary").textContent(), before);
});

test("it is in Korean where the browser is", async (t) => {
  const page = await open(t, { locale: "ko-KR" });
  assert.equal(await page.locator("#cards-title").textContent(), "카드");
  assert.equal(await page.evaluate(() => document.documentElement.lang), "ko");
});

for (const colorScheme of ["light", "dark"]) {
  test(`everybody can read it at 360 pixels, ${colorScheme}`, async (t) => {
    const page = await open(t, { viewport: { width: 360, height: 740 }, colorScheme });
    const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(inner <= outer, `${inner} pixels of content in ${outer}`);
    await page.evaluate(`${axeSource}; 0`);
    const found = await page.evaluate(() => axe.run());
    assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`), []);
    if (process.env.ONGGI_PICTURES) await page.screenshot({ path: `${process.env.ONGGI_PICTURES}/display-phone-${colorScheme}.png` });
  });
}
