import { find, make } from "./dom.js";
import { formatNumber, t } from "../src/i18n.js";

const points = (value) => formatNumber(100 * value, 1);
const figure = (value) => (value === null ? "–" : formatNumber(value, 3));

/** How far the review is, how sure the acceptance rate, how much people agree. */
export class Progress {
  constructor() {
    document.addEventListener("onggi:language", () => this.draw());
  }

  show(progress) {
    this.progress = progress;
    this.draw();
  }

  draw() {
    const p = this.progress;
    if (!p) return;
    const bar = find("#progress-bar");
    bar.max = Math.max(1, p.items);
    bar.value = p.done;
    find("#progress-line").textContent = t("progress_done", { done: formatNumber(p.done), items: formatNumber(p.items), mine: formatNumber(p.mine) });
    const rate = { rate: points(p.rate.value), low: points(p.rate.low), high: points(p.rate.high) };
    find("#progress-rate").textContent = p.judged === 0 ? t("rate_none") : t("rate", rate);
    find("#progress-left").textContent = p.left === 0 ? t("left_none", { width: points(p.width) }) : t("left", { left: formatNumber(p.left), width: points(p.width) });
    find("#progress-counts").textContent = t("counts", { accepted: p.accepted, edited: p.edited, rejected: p.rejected, disputed: p.disputed });
    this.#table("#agreement", p.agreement, ["field", "units", "percent", "alpha", "kappa"], (row) => [
      ["verdict", "aspects", "entities", "themes", "cards", "answer"].includes(row.field) ? t(`of_${row.field}`) : row.field,
      formatNumber(row.units),
      row.percent === null ? "–" : `${points(row.percent)} %`,
      figure(row.alpha),
      figure(row.kappa),
    ]);
    this.#table("#people", p.people ?? [], ["person", "decisions", "gold"], (row) => [
      row.person,
      formatNumber(row.decisions),
      row.gold ? `${row.gold.right} / ${row.gold.num}` : "–",
    ]);
    find("#agreement-none").hidden = p.agreement.length > 0;
    find("#people-box").hidden = !p.people;
  }

  #table(selector, rows, columns, cells) {
    const table = find(selector);
    table.hidden = rows.length === 0;
    table.replaceChildren(
      make("thead", {}, make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, t(`column_${name}`))))),
      make("tbody", {}, ...rows.map((row) => make("tr", {}, ...cells(row).map((cell, i) => make(i === 0 ? "th" : "td", i === 0 ? { scope: "row" } : {}, cell))))),
    );
  }
}
