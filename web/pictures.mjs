// The pictures of the page in docs/pictures, from a server with an adapter for the review themes beside its base:
//   onggi serve --adapter themes=runs/first/adapter
//   node web/pictures.mjs http://127.0.0.1:8080/ docs/pictures

import { readFileSync } from "node:fs";

import { chromium } from "playwright-core";

const [url, folder] = process.argv.slice(2);
const template = readFileSync(new URL("../examples/review-themes/prompts/2-task-format.txt", import.meta.url), "utf8");
const card = `"[가-힣0-9 .,%]{5,30} '[가-힣0-9 ]{1,12}' : (보습력|흡수력|발림성|사용감|저자극|진정|밀착력|향|용량|가성비)"`;
const form = {
  mode: "text",
  prompt: template,
  "slot:category": "스킨케어",
  "slot:product": "보습 크림 50ml",
  "slot:rating": "5",
  "slot:review": "악건성인데 바르고 자면 아침까지 당김이 없어요. 향도 은은하고 금방 스며들어서 여름에도 쓸 것 같아요.",
  guide: "regex",
  guide_regex: `\\[(${card}(, ${card}){0,2})?\\]`,
  temperature: "0",
  seed: "1",
  max_tokens: "120",
};

const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args });

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function open(view, options, more = {}) {
  const context = await browser.newContext({ deviceScaleFactor: 1, locale: "en-US", ...options });
  const page = await context.newPage();
  await page.goto(`${url}#${view}?${new URLSearchParams({ ...form, ...more })}`);
  await page.waitForFunction(() => document.querySelector("[name=model]").options.length > 0);
  return page;
}

async function answered(page) {
  await page.locator("#run").click();
  await page.waitForFunction(() => document.querySelector("#run").getAttribute("aria-disabled") === "false", null, {
    timeout: 120_000,
  });
}

/** Focus shows the alternatives of the last token that was not sure. */
async function focusUnsure(page) {
  await page
    .locator("#answers .answer")
    .first()
    .locator(".step-4, .step-3, .step-2")
    .last()
    .evaluate((token) => token.focus());
}

async function playground() {
  const models = await (await fetch(new URL("v1/models", url))).json();
  const base = models.data.find((model) => model.parent === null).id;
  const page = await open("playground", { viewport: { width: 1280, height: 1000 } }, { model: "themes", other: base });
  await answered(page);
  await page.locator("#playground").evaluate(() => scrollTo(0, 0));
  await focusUnsure(page);
  await page.screenshot({ path: `${folder}/page-desktop.png` });
  const hand = await open(
    "playground",
    { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, colorScheme: "dark", locale: "ko-KR" },
    { model: "themes" },
  );
  await answered(hand);
  await hand.locator("#legend").evaluate((legend) => legend.scrollIntoView());
  await focusUnsure(hand);
  await hand.screenshot({ path: `${folder}/page-phone.png` });
}

/** Some people who ask: more and more of them, and fewer again. */
async function crowd(seconds) {
  const begin = Date.now();
  const person = async (i) => {
    await pause(8000 * i);
    for (let turn = 0; Date.now() < begin + (seconds - 8 * i) * 1000; ++turn) {
      const review = `${"좋아요. ".repeat(1 + ((i + turn) % 5))}${form["slot:review"]}`;
      const prompt = template.split("---\n")[2].replace("{{review}}", review);
      const body = { model: "themes", prompt, max_tokens: 12 + 8 * ((i + turn) % 4), seed: turn, temperature: 1 };
      await (
        await fetch(new URL("v1/completions", url), {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        })
      ).text();
      await pause(300 * ((i + turn) % 3));
    }
  };
  await Promise.all([0, 1, 2, 3].map(person));
}

async function live() {
  const seconds = 90;
  const light = await open("live", { viewport: { width: 1280, height: 640 } });
  const dark = await open("live", { viewport: { width: 1280, height: 640 }, colorScheme: "dark", locale: "ko-KR" });
  const people = crowd(seconds);
  await pause((seconds - 2) * 1000);
  await light.screenshot({ path: `${folder}/page-live.png` });
  await dark.screenshot({ path: `${folder}/page-dark.png` });
  await people;
}

await playground();
await live();
await browser.close();
