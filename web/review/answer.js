import { diffText, diffThemes, themeFields } from "./diff.js";
import { diffNodes, faultText, make } from "./dom.js";
import { t } from "../src/i18n.js";

/** Answers as they are read: themes as cards, everything else as text. */

export const textOf = (kind, answer) => (kind === "text" ? answer : JSON.stringify(answer, null, 2));

const card = (theme) =>
  make(
    "span",
    { className: "card" },
    make("span", { className: "expression" }, theme.expression),
    " ",
    make("span", { className: "entity" }, theme.entity),
    " ",
    make("span", { className: "aspect" }, theme.name),
  );

function faultList(faults) {
  if (faults.length === 0) return null;
  return make("ul", { className: "faults" }, ...faults.map((fault) => make("li", {}, faultText(fault))));
}

/** The whole answer with the rules that it breaks. */
export function answerNodes(kind, answer, faults = []) {
  if (kind !== "themes") return [make("pre", { className: "answer-text", tabIndex: 0 }, textOf(kind, answer)), faultList(faults)];
  if (answer.length === 0) return [make("p", { className: "none" }, t("no_theme")), faultList(faults)];
  const items = answer.map((theme, i) =>
    make("li", { className: `card-${i % 3}` }, card(theme), faultList(faults.filter((fault) => fault.card === i))),
  );
  return [make("ol", { className: "cards" }, ...items), faultList(faults.filter((fault) => !(fault.card >= 0)))];
}

/** What stands between two answers; says so where that is nothing. */
export function changeNodes(kind, before, after) {
  if (kind !== "themes") {
    const pieces = diffText(textOf(kind, before), textOf(kind, after));
    if (pieces.every((piece) => piece.kind === "same")) return [make("p", { className: "help" }, t("diff_none"))];
    return [make("pre", { className: "answer-text", tabIndex: 0 }, ...diffNodes(pieces))];
  }
  const changes = diffThemes(before, after).filter((change) => change.kind !== "same");
  const isMoved = changes.length === 0 && JSON.stringify(before) !== JSON.stringify(after);
  if (changes.length === 0) return [make("p", { className: "help" }, t(isMoved ? "diff_order" : "diff_none"))];
  return [make("ul", { className: "changes" }, ...changes.map(changeItem))];
}

function changeItem({ kind, before, after }) {
  if (kind === "gone") return make("li", {}, make("del", {}, `${t("diff_gone")} `, card(before)));
  if (kind === "new") return make("li", {}, make("ins", {}, `${t("diff_new")} `, card(after)));
  const parts = themeFields.flatMap((field) => [
    make("span", { className: field === "name" ? "aspect" : field }, ...diffNodes(diffText(before[field], after[field]))),
    " ",
  ]);
  return make("li", {}, make("span", { className: "card" }, ...parts));
}
