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
  globalThis.drawnMs = []; // Until the page itself is done: the rest is the browser's and the machine's.
  let pressedAt = null;
  document.addEventListener("keydown", (event) => (pressedAt = event.timeStamp), true);
  new MutationObserver(() => {
    const since = pressedAt;
    globalThis.drawnMs.push(performance.now() - since);
    requestAnimationFrame(() => {
      const channel = new MessageChannel(); // After the frame is painted.
      channel.port1.onmessage = () => globalThis.nextMs.push(performance.now() - since);
      channel.port2.postMessage(null);
    });
  }).observe(document.querySelector("#item"), { attributes: true, attributeFilter: ["data-key"] });
});
await page.waitForFunction(() => document.querySelector("#item").dataset.key !== undefined);

await page.evaluate(() => {
  const item = document.querySelector("#item");
  const read = () => ({
    key: item.dataset.key,
    review: document.querySelector("#source").textContent,
    themes: [...document.querySelectorAll("#shown .cards > li .card")].map((card) =>
      Object.fromEntries(["entity", "expression", "aspect"].map((name) => [name, card.querySelector(`.${name}`).textContent])),
    ),
  });
  /** What is shown when it is another item than `key`; "held" where the page asks to be told twice. */
  globalThis.shownAfter = (key) =>
    new Promise((resolve) => {
      const look = () => {
        const isNext = !item.hidden && item.dataset.key !== key;
        const isHeld = item.dataset.key === key && document.querySelector("#notice").textContent !== "";
        if (!isNext && !isHeld) return false;
        observer.disconnect();
        resolve(isNext ? read() : "held");
        return true;
      };
      const observer = new MutationObserver(look);
      if (!look()) observer.observe(document.querySelector("#judge"), { subtree: true, childList: true, characterData: true, attributes: true });
    });
});
const shownAfter = (key) => page.evaluate((old) => globalThis.shownAfter(old), key);
const answerOf = (item) => item.themes.map(({ entity, expression, aspect }) => ({ entity, expression, name: aspect }));

/** Presses, and once more where the page says that a rule is broken; what is shown then. */
async function send(item, press) {
  const [next] = await Promise.all([shownAfter(item.key), press()]);
  if (next !== "held") return next;
  const isNext = page.waitForFunction((old) => document.querySelector("#item").dataset.key !== old, item.key, { polling: 10 });
  await press();
  await isNext;
  return shownAfter(item.key);
}

const accept = (item) => send(item, () => keys.press("KeyA"));
const reject = (item, reason) => send(item, () => Promise.all([keys.press("KeyR"), keys.press(`Digit${reason}`)]));
const decisions = new Map(); // Review to what was decided in the end.
let numEvents = 0;
const begin = Date.now();
let item = await shownAfter("");
for (let i = 0; i < numItems; ++i) {
  const act = i % 10;
  const before = item;
  if (act === 3 && item.themes.length > 0) {
    await Promise.all([keys.press("KeyE"), page.keyboard.press("Home"), keys.compose("정말 ")]);
    item = await send(before, () => keys.press("Enter", { control: true }));
    const answer = answerOf(before);
    answer[0].expression = `정말 ${answer[0].expression}`;
    decisions.set(before.review, { action: "edit", answer });
  } else if (act === 6) {
    const reason = 1 + (i % 9);
    item = await reject(before, reason);
    decisions.set(before.review, { action: "reject", reason });
  } else if (act === 8) {
    // Decided, taken back, decided otherwise.
    const next = await accept(before);
    await send(next, () => keys.press("KeyU"));
    item = await reject(before, 9);
    numEvents += 2;
    decisions.set(before.review, { action: "reject", reason: 9 });
  } else {
    item = await accept(before);
    decisions.set(before.review, { action: "accept", answer: answerOf(before) });
  }
  ++numEvents;
  if (i % 10 === 9) console.log(JSON.stringify({ done: i + 1 }));
}
const seconds = (Date.now() - begin) / 1000;
// What is still on its way gets there: the line says so.
await page.waitForFunction(() => /저장됨/.test(document.querySelector("#line").textContent), null, { timeout: 60_000 });
const [nextMs, drawnMs] = await page.evaluate(() => [globalThis.nextMs, globalThis.drawnMs]);
const shares = (times) => {
  const sorted = times.sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
};
assertNoProblems(page, ["ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET", "ERR_SOCKET_NOT_CONNECTED"]);
console.log(
  JSON.stringify({
    decisions: [...decisions].map(([review, decision]) => ({ review, ...decision })),
    num_events: numEvents,
    seconds,
    next_ms: shares(nextMs),
    drawn_ms: shares(drawnMs),
  }),
);
await browser.close();
