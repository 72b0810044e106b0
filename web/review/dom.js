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

const shownNames = ["guide", "empty", "again", "many", "entity", "ending", "length", "words", "characters", "aspect"];

/** A broken rule in the reader's language; one that the page does not know, as the server words it. */
export function faultText(fault) {
  if (!shownNames.includes(fault.code)) return fault.message;
  const place = fault.code === "guide" ? t("fault_at", { at: fault.at + 1 }) : "";
  return `${t(`fault_${fault.code}`)}${place && ` (${place})`}`;
}
