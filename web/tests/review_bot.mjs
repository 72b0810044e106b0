// A scripted person who reviews by keyboard, Korean IME on: review_bot.mjs ITEMS. Writes a line {"done": n} now and then, for
// whoever kills the server meanwhile, and at the end {"decisions", "seconds", "next_ms", ...}. tests/e2e/review_page_test.py
// compares the decisions with what the server has.

import { assertNoProblems, launch, openTab } from "./review_browser.mjs";

const numItems = Number(process.argv[2]);
const browser = await launch();
const page = await openTab(browser, { name: "하나", locale: "ko-KR" });
const { keys } = page;

// From the key to the first frame with another item, as the page itself sees it.
await page.evaluate(() => {
  globalThis.nextMs = [];
  let pressedAt = null;
  document.addEventListener("keydown", (event) => (pressedAt = event.timeStamp), true);
  new MutationObserver(() => {
    const since = pressedAt;
    requestAnimationFrame(() => {
      const channel = new MessageChannel(); // After the frame is painted.
      channel.port1.onmessage = () => globalThis.nextMs.push(performance.now() - since);
      channel.port2.postMessage(null);
    });
  }).observe(document.querySelector("#item"), { attributes: true, attributeFilter: ["data-key"] });
});
await page.waitForFunction(() => document.querySelector("#item").dataset.key !== undefined);

const shown = () =>
  page.evaluate(() => ({
    key: document.querySelector("#item").dataset.key,
    review: document.querySelector("#source").textContent,
    themes: [...document.querySelectorAll("#shown .cards > li .card")].map((card) =>
      Object.fromEntries(["entity", "expression", "aspect"].map((name) => [name, card.querySelector(`.${name}`).textContent])),
    ),
    numFaults: document.querySelectorAll("#shown .faults li").length,
    notice: document.querySelector("#notice").textContent,
  }));
const other = async (key) => {
  await page.waitForFunction((old) => document.querySelector("#item").dataset.key !== old || document.querySelector("#item").hidden, key, { polling: 10 });
};
const answerOf = (item) => item.themes.map(({ entity, expression, aspect }) => ({ entity, expression, name: aspect }));

/** Ctrl+Enter or A, and once more where the page says that a rule is broken. */
async function send(item, press) {
  await press();
  const isHeld = await page.waitForFunction(
    (old) => (document.querySelector("#item").dataset.key !== old || document.querySelector("#item").hidden ? "next" : document.querySelector("#notice").textContent ? "held" : null),
    item.key,
    { polling: 10 },
  );
  if ((await isHeld.jsonValue()) === "held") {
    await press();
    await other(item.key);
  }
}

const accept = (item) => send(item, () => keys.press("KeyA"));
const decisions = new Map(); // Review to what was decided in the end.
let numEvents = 0;
const begin = Date.now();
for (let i = 0; i < numItems; ++i) {
  const item = await shown();
  const act = i % 10;
  if (act === 3 && item.themes.length > 0) {
    await keys.press("KeyE");
    await page.keyboard.press("Home");
    await keys.compose("정말 ");
    await send(item, () => keys.press("Enter", { control: true }));
    const answer = answerOf(item);
    answer[0].expression = `정말 ${answer[0].expression}`;
    decisions.set(item.review, { action: "edit", answer });
  } else if (act === 6) {
    const reason = 1 + (i % 9);
    await keys.press("KeyR");
    await keys.press(`Digit${reason}`);
    await other(item.key);
    decisions.set(item.review, { action: "reject", reason });
  } else if (act === 8 && i > 0) {
    // Decided, taken back, decided otherwise.
    await accept(item);
    await keys.press("KeyU");
    await page.waitForFunction((key) => document.querySelector("#item").dataset.key === key, item.key, { polling: 10 });
    await keys.press("KeyR");
    await keys.press("Digit9");
    await other(item.key);
    numEvents += 2;
    decisions.set(item.review, { action: "reject", reason: 9 });
  } else {
    await accept(item);
    decisions.set(item.review, { action: "accept", answer: answerOf(item) });
  }
  ++numEvents;
  if (i % 10 === 9) console.log(JSON.stringify({ done: i + 1 }));
}
const seconds = (Date.now() - begin) / 1000;
// What is still on its way gets there: the line says so.
await page.waitForFunction(() => /저장됨/.test(document.querySelector("#line").textContent), null, { timeout: 60_000 });
const nextMs = (await page.evaluate(() => globalThis.nextMs)).sort((a, b) => a - b);
const at = (share) => nextMs[Math.min(nextMs.length - 1, Math.floor(share * nextMs.length))];
assertNoProblems(page, ["ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET", "ERR_SOCKET_NOT_CONNECTED"]);
console.log(
  JSON.stringify({
    decisions: [...decisions].map(([review, decision]) => ({ review, ...decision })),
    num_events: numEvents,
    seconds,
    next_ms: { p50: at(0.5), p95: at(0.95), p99: at(0.99), count: nextMs.length },
  }),
);
await browser.close();
