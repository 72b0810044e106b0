// What holds for the whole page: plots, size, that everybody can read it. tests/e2e/page_test.py starts the server.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import test from "node:test";

import { answered, desktop, open, phone, settings, tabTo, url } from "./browser.mjs";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const maxFirstLoadBytes = 120 * 1024;

async function hasNoSidewaysScroll(page, where) {
  const [inner, outer] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  assert.ok(inner <= outer, `${where}: ${inner} pixels of content in ${outer}`);
}

test("plots show what the server does, and their values can be read without seeing them", async (t) => {
  const page = await open(t, { hash: "#live" });
  const load = fetch(`${url}v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ prompt: "a".repeat(300), max_tokens: 600, n: 60, seed: 1, guided_regex: "[a-z]{600,4000}" }),
  });
  const readout = page.locator(".plot").first().locator(".readout");
  await page.waitForFunction(() => /written [1-9]/.test(document.querySelector(".plot .readout").textContent), null, {
    timeout: 30_000,
  });
  assert.match(await readout.textContent(), /read/);
  await (await load).json();
  for (const i of [3, 4, 5]) {
    await page.waitForFunction(
      (at) =>
        /^half under [\d.]+ m?s95 % under [\d.]+ m?s$/.test(
          document.querySelectorAll(".plot .readout")[at].textContent,
        ),
      i,
    );
  }
  assert.ok((await page.locator(".plot").first().locator("path.line-0").getAttribute("d")).length > 10);
  await tabTo(page, ".plot svg");
  await page.keyboard.press("ArrowLeft");
  assert.match(
    await page.locator(".plot [aria-live]").first().textContent(),
    /^\d+ s ago, written [\d,.]+, read [\d,.]+$/,
  );
  await page.locator("#tables").press("Enter");
  assert.ok((await page.locator(".plot table").first().locator("tr").count()) >= 2);
  await page.locator("#pause").press("Enter");
  const before = await page.locator("#live-state").textContent();
  assert.match(before, /^Paused at/);
  await page.waitForTimeout(1500);
  assert.equal(await page.locator("#live-state").textContent(), before);
});

test("the first load is small, and comes compressed from here alone", async (t) => {
  const page = await open(t);
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.setCacheDisabled", { cacheDisabled: true });
  let bytes = 0;
  session.on("Network.loadingFinished", (event) => (bytes += event.encodedDataLength));
  await page.reload({ waitUntil: "networkidle" });
  t.diagnostic(`${bytes} bytes`);
  assert.ok(bytes > 5_000 && bytes <= maxFirstLoadBytes, `${bytes} bytes`);
});

/** Contrast of text with what is behind it, as WCAG 2.2 counts, of the first visible element of each selector. */
function contrasts(selectors) {
  const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const parse = (color) => {
    const context = new OffscreenCanvas(1, 1).getContext("2d");
    context.fillStyle = color;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  return selectors.map(([selector, property]) => {
    const element = [...document.querySelectorAll(selector)].find((other) => other.getClientRects().length > 0);
    if (!element) return [selector, 0];
    const ground = property === "color" ? behind(element) : behind(element.parentElement);
    const [a, b] = [luminance(parse(getComputedStyle(element)[property])), luminance(ground)].sort((x, y) => y - x);
    return [selector, (a + 0.05) / (b + 0.05)];
  });
}

for (const [name, viewport, colorScheme, locale] of [
  ["desktop", desktop, "light", "en-US"],
  ["desktop", desktop, "dark", "ko-KR"],
  ["phone", phone, "light", "ko-KR"],
  ["phone", phone, "dark", "en-US"],
]) {
  test(`nothing is hidden, faint or unnamed: ${name}, ${colorScheme}, ${locale}`, async (t) => {
    const page = await open(t, {
      viewport,
      colorScheme,
      locale,
      hash: `#playground?${settings}&prompt=%7B%7Bx%7D%7D%20a&slot:x=b&guide=choice&guide_choice=good`,
    });
    assert.equal(await page.evaluate(() => document.documentElement.lang), locale.slice(0, 2));
    await page.selectOption("[name=other]", "tuned");
    await page.locator("#sampling summary").click();
    await page.locator("#access summary").click();
    await page.locator("#run").click();
    await answered(page);
    await page.selectOption("[name=guide]", "none");
    await page.locator("#run").click();
    await answered(page);
    await hasNoSidewaysScroll(page, "playground");
    await page.locator("#answers .token[role=option]").last().focus();
    const box = await page.locator("#alternatives").boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= viewport.width);
    await page.evaluate(axeSource);
    const violations = async () =>
      (await page.evaluate(() => axe.run())).violations.map(
        ({ id, nodes }) =>
          `${id}: ${nodes
            .map((node) => node.html)
            .join(" | ")
            .slice(0, 400)}`,
      );
    assert.deepEqual(await violations(), []);
    for (const step of [0, 1, 2, 3, 4])
      await page.evaluate(
        (i) =>
          document
            .querySelector("#legend")
            .append(
              Object.assign(document.createElement("span"), {
                className: `token step-${i} probe-${i}`,
                textContent: "x",
              }),
            ),
        step,
      );
    const inks = [0, 1, 2, 3, 4].map((step) => [`.probe-${step}`, "color"]);
    inks.push(
      ["body", "color"],
      [".help", "color"],
      ["#run", "color"],
      [".facts", "color"],
      ["#alternatives .chosen", "color"],
      ["nav a[aria-current]", "color"],
    );
    for (const [selector, ratio] of await page.evaluate(contrasts, inks))
      assert.ok(ratio >= 4.5, `${selector}: ${ratio}`);
    for (const [selector, ratio] of await page.evaluate(contrasts, [
      ["[name=prompt]", "borderTopColor"],
      ["#copy-curl", "borderTopColor"],
    ]))
      assert.ok(ratio >= 3, `${selector}: ${ratio}`);
    await page.locator("[data-view=live]").click();
    await page.waitForFunction(() => document.querySelector(".plot path.line-0")?.getAttribute("d"));
    await hasNoSidewaysScroll(page, "live");
    assert.deepEqual(await violations(), []);
    for (const [selector, ratio] of await page.evaluate(contrasts, [
      [".plot path.line-0", "stroke"],
      [".plot path.line-1", "stroke"],
    ]))
      assert.ok(ratio >= 3, `${selector}: ${ratio}`);
    await page.locator("#tables").click();
    await hasNoSidewaysScroll(page, "tables");
    assert.deepEqual(await violations(), []);
  });
}

test("language and colours are chosen, and chosen still after a reload", async (t) => {
  const page = await open(t, { locale: "ko-KR" });
  assert.equal(await page.locator("#run span").textContent(), "실행");
  await tabTo(page, "#language");
  await page.keyboard.type("Eng");
  assert.equal(await page.locator("#run span").textContent(), "Run");
  await page.selectOption("#theme", "dark");
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await ground();
  await page.reload();
  assert.equal(await ground(), dark);
  assert.equal(await page.locator("#run span").textContent(), "Run");
});

test("with less motion wanted nothing blinks", async (t) => {
  const page = await open(t, { reducedMotion: "reduce" });
  const moves = await page.evaluate(() => {
    const answer = document.querySelector(".answer");
    answer.setAttribute("aria-busy", "true");
    return getComputedStyle(answer.querySelector(".tokens"), "::after").animationName;
  });
  assert.equal(moves, "none");
});
