import { answerNodes, changeNodes } from "./answer.js";
import { newId, post } from "./api.js";
import { factNodes, find, mainColumn, make, valueText } from "./dom.js";
import { markedText } from "./evidence.js";
import { FormError, newForm } from "./form.js";
import { t } from "../src/i18n.js";

const checkPause = 250; // Milliseconds without a key before rules are asked for.
const checkPatience = 30; // How long a submission waits for them: the server looks again when it takes the decision.

/** The item before the person, and what is done with it. */
export class Judge {
  constructor({ session, queue, record, say }) {
    Object.assign(this, { session, queue, record, say, mode: "judging", shownAt: 0, confirmed: "" });
    this.unchecked = new Set(); // Ids of decisions that were sent before the rules had been asked.
    this.root = find("#judge");
    this.form = newForm(session.kind, session);
    find("#editor").append(this.form.root);
    this.form.root.addEventListener("input", () => this.#changed());
    this.form.root.addEventListener("change", () => this.#changed());
    for (const button of this.root.querySelectorAll("[data-do]"))
      button.addEventListener("click", () => this.run(button.dataset.do));
    const reasons = session.reasons.map((name, i) => {
      const button = make("button", { type: "button" }, make("kbd", {}, String(i + 1)), ` ${t(`reason_${name}`)}`);
      button.addEventListener("click", () => this.run(`reason_${i + 1}`));
      return make("li", {}, button);
    });
    find("#reasons ol").replaceChildren(...reasons);
    document.addEventListener("onggi:language", () => {
      [...find("#reasons ol").children].forEach((item, i) => {
        item.firstChild.lastChild.textContent = ` ${t(`reason_${session.reasons[i]}`)}`;
      });
      this.draw();
    });
  }

  get item() {
    return this.queue.current;
  }

  /** Does what a key or a button asks for. */
  run(command) {
    if (command.startsWith("reason_")) return this.#reject(Number(command.slice("reason_".length)));
    const actions = {
      accept: () => this.#accept(),
      edit: () => this.#open("editing"),
      reject: () => this.#open("rejecting"),
      skip: () => this.item && this.#decide({ action: "skip" }),
      undo: () => this.#undo(),
      next: () => this.#move(1),
      previous: () => this.#move(-1),
      leave: () => this.#open("judging"),
      submit: () => (this.mode === "editing" ? this.#submit() : this.#accept()),
    };
    return actions[command]?.();
  }

  /** The next item, with what is known of it. `isFresh`: to be read from its beginning. */
  draw(isFresh = false) {
    const { item } = this;
    find("#item").hidden = !item;
    find("#nothing").hidden = Boolean(item);
    for (const button of this.root.querySelectorAll(".actions [data-do]"))
      if (button.dataset.do !== "undo") button.disabled = !item;
    if (!item) {
      find("#nothing").textContent = t(this.queue.isCut ? "queue_cut" : this.queue.filling || !this.queue.isEmpty ? "queue_wait" : "queue_empty");
      return;
    }
    find("#item").dataset.key = item.key;
    if (this.drawn !== item.key || isFresh) {
      this.drawn = item.key;
      this.shownAt = performance.now();
      this.mode = "judging";
      this.confirmed = "";
      this.faults = item.faults;
    }
    this.#drawFields(item);
    find("#shown").replaceChildren(...answerNodes(this.session.kind, item.answer, item.faults).filter(Boolean));
    this.#drawDecision(item);
    this.#drawMode();
  }

  #drawFields(item) {
    this.main = mainColumn(item.fields);
    find("#title").textContent = item.fields.product ?? t("item");
    find("#facts").replaceChildren(...factNodes(item.fields, this.main));
    this.#drawEvidence(item.answer);
  }

  #drawEvidence(answer) {
    const { item } = this;
    const text = this.main === null ? "" : valueText(item.fields[this.main]);
    find("#source").replaceChildren(...(this.session.kind === "themes" ? markedText(text, answer) : [text]));
  }

  #drawDecision(item) {
    const decision = item.decision ?? item.mine;
    const line = find("#decided");
    line.hidden = !decision;
    if (!decision) return;
    const reason = decision.reason ? t(`reason_${this.session.reasons[decision.reason - 1]}`) : "";
    line.replaceChildren(make("p", {}, t(`decided_${decision.action}`, { reason })));
    if (decision.answer && decision.action === "edit") line.append(...changeNodes(this.session.kind, item.answer, decision.answer));
  }

  #drawMode() {
    find("#editor").hidden = this.mode !== "editing";
    find("#reasons").hidden = this.mode !== "rejecting";
    find("#changes").hidden = this.mode !== "editing";
    this.root.dataset.mode = this.mode;
    if (this.mode !== "editing") find("#notice").textContent = "";
  }

  #open(mode, draft = null) {
    if (!this.item) return;
    this.mode = mode;
    this.confirmed = "";
    this.#drawMode();
    if (mode === "editing") {
      const known = this.item.decision ?? this.item.mine;
      this.form.set(draft ?? (known?.action === "edit" ? known.answer : this.item.answer));
      if (!draft && !known) this.form.mark(this.item.faults);
      this.form.focus();
      this.#changed();
    } else if (mode === "rejecting") {
      find("#reasons button").focus();
    } else {
      this.#drawEvidence(this.item.answer);
      find("#item").focus();
    }
  }

  #value() {
    try {
      return this.form.value();
    } catch (error) {
      if (!(error instanceof FormError)) throw error;
      find("#notice").textContent = error.message;
      return undefined;
    }
  }

  #changed() {
    find("#notice").textContent = "";
    const answer = this.#value();
    if (answer === undefined) return;
    this.#drawChanges();
    if (this.session.kind === "themes") this.#drawEvidence(answer);
    clearTimeout(this.checkTimer);
    this.checkTimer = setTimeout(() => this.#check(), checkPause);
  }

  #drawChanges() {
    const answer = this.#value();
    if (answer !== undefined) find("#change-list").replaceChildren(...changeNodes(this.session.kind, this.item.answer, answer));
  }

  /** What the server's rules say of the answer as it stands; null where they can't be asked. */
  async #check() {
    clearTimeout(this.checkTimer);
    const answer = this.#value();
    const { item } = this;
    if (answer === undefined || !item) return null;
    const text = JSON.stringify(answer);
    try {
      const found = await post("check", { item: item.key, answer });
      const faults = found.malformed ? [{ code: "malformed", message: found.malformed }] : found.faults;
      const isStill = this.mode === "editing" && this.item === item && JSON.stringify(this.#value()) === text;
      if (isStill) this.form.mark(faults);
      this.checked = { key: item.key, text, faults };
      return this.checked;
    } catch {
      return null; // Gone for now: the decision goes on without, and the server looks when it gets it.
    }
  }

  /** Whether to go on although rules are broken: said once, done when asked again. */
  #mayPass(faults, text) {
    if (faults.length === 0 || this.confirmed === text) return true;
    this.confirmed = text;
    find("#notice").textContent = t("rules_broken");
    return false;
  }

  #accept() {
    const { item } = this;
    if (item && this.#mayPass(item.faults, "accept")) this.#decide({ action: "accept" });
  }

  async #submit() {
    const answer = this.#value();
    const { item } = this;
    if (answer === undefined || this.isSubmitting) return;
    this.isSubmitting = true;
    const isKnown = this.checked?.key === item.key && this.checked.text === JSON.stringify(answer);
    const patience = () => new Promise((resolve) => setTimeout(() => resolve(null), checkPatience));
    const found = isKnown ? this.checked : await Promise.race([this.#check(), patience()]);
    this.isSubmitting = false;
    if (this.item !== item || this.mode !== "editing") return;
    if (found && !this.#mayPass(found.faults, found.text)) return;
    const isSame = JSON.stringify(answer) === JSON.stringify(item.answer);
    const id = this.#decide(isSame ? { action: "accept" } : { action: "edit", answer });
    if (!found) this.unchecked.add(id);
  }

  #reject(reason) {
    if (this.item && this.mode === "rejecting") this.#decide({ action: "reject", reason, note: find("#note").value.trim() });
  }

  #decide(decision) {
    const { item } = this;
    const event = {
      id: newId(),
      kind: "decide",
      item: item.key,
      version: item.version,
      guideline: this.session.guideline,
      spent_ms: Math.round(performance.now() - this.shownAt),
      ...decision,
    };
    this.queue.decide(item, { ...decision, id: event.id, order: Date.now() + performance.now() / 1e6 });
    this.record(event);
    find("#note").value = "";
    this.queue.advance();
    this.#show(t(`done_${decision.action}`));
    return event.id;
  }

  #undo() {
    const undone = this.queue.undo();
    if (!undone) {
      this.say(t("undo_none"));
      return;
    }
    this.record({ id: newId(), kind: "undo", target: undone.decision.id });
    this.#show(t("undone"));
    if (undone.decision.action === "edit") this.#open("editing", undone.decision.answer);
  }

  #move(step) {
    this.queue.move(step);
    this.#show("");
  }

  #show(done) {
    this.draw(true);
    const { item } = this;
    this.say(`${done} ${item ? (item.fields.product ?? "") : find("#nothing").textContent}`.trim());
    (item ? find("#item") : find("#main")).focus({ preventScroll: true });
    if (scrollY > 0) scrollTo(0, 0);
  }
}

