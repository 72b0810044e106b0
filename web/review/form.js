import { faultText, make } from "./dom.js";
import { t } from "../src/i18n.js";
import { textOf } from "./answer.js";

/** The editor of an answer. `value()` gives the answer as it stands, or throws FormError; `mark(faults)` shows what is
 *  wrong beside where it is. Every change fires an "input" event that bubbles, or "change" where a line came or went. */

export class FormError extends Error {}

export function newForm(kind, session) {
  return kind === "themes" ? new ThemesForm(session) : new TextForm(kind);
}

let lastNumber = 0;

class ThemesForm {
  constructor({ names, max_themes: maxThemes }) {
    Object.assign(this, { names, maxThemes });
    this.lines = make("div", { className: "lines" });
    this.addButton = make("button", { type: "button", className: "add" }, t("add_theme"));
    this.addButton.addEventListener("click", () => this.#add({ expression: "", entity: this.#usual("entity"), name: "" }, true));
    this.whole = make("p", { className: "wrong", role: "alert" });
    this.root = make("div", { className: "themes-form" }, this.lines, this.addButton, this.whole);
  }

  set(themes) {
    this.lines.replaceChildren();
    for (const theme of themes) this.#add(theme, false);
    this.mark([]);
  }

  focus() {
    (this.lines.querySelector("textarea, input") ?? this.addButton).focus();
  }

  value() {
    return [...this.lines.children].map((line) =>
      Object.fromEntries(["entity", "expression", "name"].map((name) => [name, line.querySelector(`[name=${name}]`).value.trim()])),
    );
  }

  #usual(name) {
    return this.lines.querySelector(`[name=${name}]`)?.value ?? "";
  }

  #field(name, input) {
    const id = `field-${++lastNumber}`;
    Object.assign(input, { id, name, autocomplete: "off", spellcheck: false });
    const wrong = make("span", { className: "wrong", id: `${id}-wrong` });
    return make("span", { className: `field ${name}` }, make("label", { for: id }, t(`field_${name}`)), input, wrong);
  }

  #add(theme, isNew) {
    const aspects =
      this.names.length > 0
        ? make("select", {}, make("option", { value: "" }, t("choose")), ...this.names.map((name) => make("option", { value: name }, name)))
        : make("input", { type: "text" });
    if (theme.name && this.names.length > 0 && !this.names.includes(theme.name)) aspects.append(make("option", { value: theme.name }, theme.name));
    const remove = make("button", { type: "button", className: "remove" }, t("remove_theme"));
    const up = make("button", { type: "button", className: "up" }, t("move_up"));
    const line = make(
      "div",
      { className: "line", role: "group" },
      this.#field("expression", make("input", { type: "text", value: theme.expression })),
      this.#field("entity", make("input", { type: "text", value: theme.entity })),
      this.#field("name", aspects),
      make("span", { className: "line-buttons" }, up, remove),
    );
    aspects.value = theme.name;
    remove.addEventListener("click", () => {
      const other = line.nextElementSibling ?? line.previousElementSibling;
      line.remove();
      (other?.querySelector("input") ?? this.addButton).focus();
      this.#changed();
    });
    up.addEventListener("click", () => {
      if (line.previousElementSibling) line.previousElementSibling.before(line);
      up.focus();
      this.#changed();
    });
    this.lines.append(line);
    this.#number();
    if (!isNew) return;
    line.querySelector("input").focus();
    this.#changed();
  }

  #number() {
    [...this.lines.children].forEach((line, i) => {
      line.setAttribute("aria-label", t("theme_nth", { number: i + 1 }));
      for (const [selector, name] of [[".remove", "remove_nth"], [".up", "move_nth"]])
        line.querySelector(selector).setAttribute("aria-label", t(name, { number: i + 1 }));
      line.querySelector(".up").disabled = i === 0;
    });
  }

  #changed() {
    this.#number();
    this.root.dispatchEvent(new Event("change", { bubbles: true }));
  }

  mark(faults) {
    for (const wrong of this.lines.querySelectorAll(".wrong")) wrong.textContent = "";
    for (const input of this.lines.querySelectorAll("[aria-invalid]")) {
      input.removeAttribute("aria-invalid");
      input.removeAttribute("aria-describedby");
    }
    const rest = [];
    for (const fault of faults) {
      const line = this.lines.children[fault.card];
      const input = line?.querySelector(`[name=${fault.field ?? "expression"}]`);
      if (!input) {
        rest.push(faultText(fault));
        continue;
      }
      const wrong = input.nextElementSibling;
      wrong.textContent += `${wrong.textContent && " · "}${faultText(fault)}`;
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", wrong.id);
    }
    const text = rest.join(" · ");
    if (this.whole.textContent !== text) this.whole.textContent = text;
  }
}

class TextForm {
  constructor(kind) {
    this.kind = kind;
    this.input = make("textarea", { name: "answer", rows: 8, spellcheck: false, className: kind === "json" ? "code" : "", "aria-label": t("answer") });
    this.whole = make("p", { className: "wrong", id: "answer-wrong", role: "alert" });
    this.root = make("div", { className: "text-form" }, this.input, this.whole);
  }
  set(answer) {
    this.input.value = textOf(this.kind, answer);
    this.mark([]);
  }
  focus() {
    this.input.focus();
  }
  value() {
    if (this.kind === "text") return this.input.value;
    try {
      return JSON.parse(this.input.value);
    } catch (error) {
      throw new FormError(t("not_json", { message: error.message }));
    }
  }
  mark(faults) {
    this.whole.textContent = faults.map(faultText).join(" · ");
    for (const [name, value] of [["aria-invalid", "true"], ["aria-describedby", "answer-wrong"]]) {
      if (faults.length > 0) this.input.setAttribute(name, value);
      else this.input.removeAttribute(name);
    }
  }
}
