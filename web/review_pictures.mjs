// The pictures of the review page in docs/pictures, from a server of its own on the example's rows:
//   onggi review --store /tmp/review.db --input labels.jsonl --overlap 1 --guide examples/review-themes/guide.json \
//       --guidelines examples/review-themes/data/GUIDELINES.md
//   ONGGI_URL=http://127.0.0.1:8090/ node web/review_pictures.mjs docs/pictures

import { launch, openTab, phone, url } from "./tests/review_browser.mjs";

const folder = process.argv[2];
const browser = await launch();

async function api(person, path, body) {
  const headers = { "x-onggi-person": person, "content-type": "application/json" };
  const response = await fetch(`${url}api/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  return response.json();
}

const key = (page) => page.evaluate(() => document.querySelector("#item").dataset.key);

/** Goes on to a review with as many themes. */
async function toThemes(page, count) {
  await page.waitForFunction(() => !document.querySelector("#item").hidden);
  while ((await page.locator("#shown .cards > li").count()) !== count) {
    const old = await key(page);
    await page.keys.press("KeyJ");
    await page.waitForFunction((was) => document.querySelector("#item").dataset.key !== was, old);
  }
}

/** Three people who agree about most. */
async function judgeSome() {
  for (const [i, person] of ["hana", "minsu"].entries()) {
    const { items } = await api(person, "lease", { count: 90, have: [] });
    const events = items.map((item, n) => {
      const decision =
        n % 9 === 4 + i ? { action: "reject", reason: 1 } : n % 7 === 3 ? { action: "edit", answer: item.answer.slice(0, 1) } : { action: "accept" };
      return { id: `picture-${person}-${n}`, kind: "decide", item: item.key, ...decision };
    });
    await api(person, "events", { events });
  }
}

async function editing() {
  const page = await openTab(browser, { name: "jiwoo", viewport: { width: 1280, height: 860 }, locale: "en-US" });
  await toThemes(page, 2);
  await page.keys.press("KeyE");
  await page.keyboard.press("Home");
  await page.keys.compose("정말 ");
  await page.locator("#editor [name=expression]").nth(1).focus();
  await page.keyboard.press("End");
  await page.keys.compose("요!");
  await page.locator("#editor [aria-invalid]").waitFor();
  await page.screenshot({ path: `${folder}/review-desktop.png` });
  const hand = await openTab(browser, { name: "jiwoo", viewport: phone, deviceScaleFactor: 2, colorScheme: "dark", locale: "ko-KR" });
  await toThemes(hand, 2);
  await hand.screenshot({ path: `${folder}/review-phone.png` });
}

async function others() {
  const page = await openTab(browser, { name: "jiwoo", hash: "#settle", viewport: { width: 1280, height: 720 }, colorScheme: "dark", locale: "ko-KR" });
  await page.locator("#settle-item:visible").waitFor();
  await page.screenshot({ path: `${folder}/review-settle.png` });
  await page.goto(`${url}#progress`);
  await page.waitForFunction(() => document.querySelectorAll("#agreement tbody tr").length > 1);
  await page.screenshot({ path: `${folder}/review-progress.png` });
}

await editing();
await judgeSome();
await others();
await browser.close();
