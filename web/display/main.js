import { densityCurve, intervalBar, legend, lineChart } from "./charts.js";
import { strings } from "./strings.js";

const everyMs = 3000;
const mostRows = 200;
const mostChosen = 6;
const $ = (id) => document.getElementById(id);
const state = { language: "en", stats: null, policies: null, chosen: null, timer: 0 };

function t(name, values = {}) {
  return strings[state.language][name].replace(/\{(\w+)\}/g, (_, key) => String(values[key]));
}
const percent = (share, digits = 2) => `${(100 * share).toLocaleString(state.language, { maximumFractionDigits: digits })} %`;
const whole = (number) => number.toLocaleString(state.language);
const time = (ms) => new Date(ms).toLocaleTimeString(state.language);

function element(name, text = "", children = []) {
  const made = document.createElement(name);
  made.textContent = text;
  made.append(...children);
  return made;
}

function drawSummary() {
  const { stats } = state;
  const interval = stats.interval.map((end) => percent(end)).join(" - ");
  const facts = [
    ["version", stats.policy_version], ["kind", stats.policy.kind], ["floor", stats.policy.floor], ["batch", whole(stats.batch)],
    ["shown", whole(stats.shown)], ["clicks", whole(stats.clicks)], ["open", whole(stats.open)],
    ["rate", stats.click_rate === null ? t("none") : `${percent(stats.click_rate)} (${interval})`], ["updated", time(Date.now())],
  ];
  $("summary").replaceChildren(...facts.map(([name, value]) => element("div", "", [element("dt", t(name)), element("dd", String(value))])));
}

/** Those that matter most first: by chance where it is known, else by impressions. */
function ordered(cards) {
  return [...cards].sort((a, b) => (b.chance ?? 0) - (a.chance ?? 0) || b.shown - a.shown || (a.theme_id < b.theme_id ? -1 : 1));
}

function choose(id, isOn) {
  if (isOn) state.chosen.add(id);
  else state.chosen.delete(id);
  if (state.chosen.size > mostChosen) state.chosen.delete(state.chosen.values().next().value);
  draw();
}

function row(card, most) {
  const box = element("input");
  box.type = "checkbox";
  box.dataset.id = card.theme_id;
  box.checked = state.chosen.has(card.theme_id);
  box.addEventListener("change", () => choose(card.theme_id, box.checked));
  const name = element("span", card.expression, [element("small", `${card.entity} · ${card.aspect}`)]);
  const rate = element("td", card.click_rate === null ? t("none") : percent(card.click_rate));
  rate.append(intervalBar(card.interval, card.click_rate, most));
  rate.title = card.interval.map((end) => percent(end)).join(" - ");
  return element("tr", "", [
    element("td", "", [element("label", "", [box, name])]), element("td", whole(card.shown)), element("td", whole(card.clicks)), rate,
    element("td", card.chance === undefined ? "" : percent(card.chance)),
  ]);
}

function drawCards() {
  const cards = ordered(state.stats.cards);
  state.chosen ??= new Set(cards.slice(0, 4).map((card) => card.theme_id));
  const known = cards.filter((card) => card.shown > 0).map((card) => card.interval[1]).sort((a, b) => a - b);
  const most = Math.max(0.01, known[Math.floor(known.length * 0.9)] ?? 1);
  const focused = document.activeElement?.dataset?.id;
  $("cards").replaceChildren(...cards.slice(0, mostRows).map((card) => row(card, most)));
  if (focused) [...$("cards").querySelectorAll("input")].find((box) => box.dataset.id === focused)?.focus();
  $("more").textContent = cards.length > mostRows ? t("more", { n: cards.length - mostRows }) : "";
}

function drawPosteriors(chosen) {
  const cards = chosen.filter((card) => card.posterior);
  if (cards.length === 0) return $("posteriors").replaceChildren(element("p", t("no_posterior")));
  const to = Math.min(1, 1.2 * Math.max(...cards.map((card) => card.posterior.high)));
  const lines = cards.map((card) => ({ points: densityCurve(card.posterior, 0, to) }));
  const chart = lineChart({ label: t("plot_posteriors"), lines, x: { from: 0, to, text: percent }, y: { from: 0, to: 1 } });
  const names = cards.map((card) =>
    t("believed", { name: card.expression, low: percent(card.posterior.low), high: percent(card.posterior.high) }));
  $("posteriors").replaceChildren(chart, legend(names));
}

function drawHistory(chosen) {
  const { history, cards } = state.stats;
  if (history.length === 0) return $("history").replaceChildren(element("p", t("no_history")));
  const places = chosen.map((card) => cards.indexOf(card));
  const end = Date.now();
  const lines = places.map((place) => {
    const points = history.map((moment) => [moment.at_ms, moment.chances[place]]);
    return { points: [...points, [end, points.at(-1)[1]]] };
  });
  const to = Math.max(0.05, ...lines.flatMap((line) => line.points.map(([, chance]) => chance)));
  const chart = lineChart({
    label: t("plot_history"), lines, x: { from: history[0].at_ms, to: end, text: time }, y: { from: 0, to, text: percent },
  });
  const names = chosen.map((card) => `${card.expression}: ${percent(card.chance)}`);
  $("history").replaceChildren(chart, legend(names));
}

function drawVersions() {
  const { versions, promotions } = state.policies;
  const items = versions.map((v) => element("li", `${v.version}. ${v.spec.kind}${v.is_live ? ` (${t("live")})` : ""}${v.note ? ` - ${v.note}` : ""}`));
  const steps = promotions.map((p) => element("li", `${new Date(p.at_ms).toLocaleString(state.language)}: ${t(p.action)} ${p.version}`));
  $("versions").replaceChildren(...items, ...steps);
}

function draw() {
  if (!state.stats) return;
  drawSummary();
  drawCards();
  const chosen = state.stats.cards.filter((card) => state.chosen.has(card.theme_id));
  drawPosteriors(chosen);
  drawHistory(chosen);
  drawVersions();
}

async function ask(path) {
  const response = await fetch(path);
  const body = await response.json();
  if (!response.ok) throw new Error(body.error?.message ?? response.statusText);
  return body;
}

async function refresh() {
  try {
    [state.stats, state.policies] = await Promise.all([ask("v1/stats"), ask("v1/policies")]);
    $("problem").hidden = true;
    draw();
  } catch (error) {
    $("problem").textContent = t("away", { why: error.message });
    $("problem").hidden = false;
  }
}

async function loop() {
  await refresh();
  if ($("pause").getAttribute("aria-pressed") === "false") state.timer = setTimeout(loop, everyMs);
}

function setLanguage(language) {
  state.language = language;
  document.documentElement.lang = language;
  for (const named of document.querySelectorAll("[data-t]")) named.textContent = t(named.dataset.t);
  $("language").value = language;
  draw();
}

$("language").addEventListener("change", (event) => setLanguage(event.target.value));
$("pause").addEventListener("click", () => {
  const isPaused = $("pause").getAttribute("aria-pressed") === "false";
  $("pause").setAttribute("aria-pressed", String(isPaused));
  clearTimeout(state.timer);
  if (!isPaused) loop();
});
setLanguage(navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en");
loop();
