import { t } from "../src/i18n.js";

export const find = (selector) => document.querySelector(selector);

/** make("p", {className: "help"}, "text", child): members, `data` and attributes with a dash, then children. */
export function make(name, members = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(members)) {
    if (value === undefined || value === null) continue;
    if (key.includes("-") || key === "role" || key === "for" || key === "list") element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Pieces of diffText as elements that are read as what they are. */
export function diffNodes(pieces) {
  return pieces.map(({ kind, text }) =>
    kind === "same" ? text : make(kind === "gone" ? "del" : "ins", {}, make("span", { className: "hidden" }, `${t(kind === "gone" ? "diff_gone" : "diff_new")} `), text),
  );
}

/** The column that is read: the review, else the longest. Null where there is none. */
export function mainColumn(fields) {
  if ("review" in fields) return "review";
  const length = (name) => String(fields[name]).length;
  return Object.keys(fields).reduce((longest, name) => (longest !== null && length(longest) >= length(name) ? longest : name), null);
}

/** A column's value as it is read. */
export const valueText = (value) => (typeof value === "string" ? value : JSON.stringify(value));

/** All columns but those that have a place of their own. */
export function factNodes(fields, main) {
  const facts = Object.entries(fields).filter(([name]) => name !== main && name !== "product");
  return facts.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, valueText(value))]);
}

const shownNames = ["guide", "empty", "again", "many", "entity", "ending", "length", "words", "characters", "aspect"];

/** A broken rule in the reader's language; one that the page does not know, as the server words it. */
export function faultText(fault) {
  if (!shownNames.includes(fault.code)) return fault.message;
  const place = fault.code === "guide" && fault.at > 0 ? t("fault_at", { at: fault.at + 1 }) : "";
  return `${t(`fault_${fault.code}`)}${place && ` (${place})`}`;
}
