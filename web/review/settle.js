import { answerNodes, changeNodes } from "./answer.js";
import { get, newId } from "./api.js";
import { factNodes, find, mainColumn, make, valueText } from "./dom.js";
import { FormError, newForm } from "./form.js";
import { t } from "../src/i18n.js";

/** Items about which people disagree, and the last word on them. */
export class Settle {
  constructor({ session, record, say }) {
    Object.assign(this, { session, record, say, list: [], at: 0, mode: "settling", last: [] });
    this.form = newForm(session.kind, session);
    find("#settle-editor").append(this.form.root);
    for (const button of find("#settle").querySelectorAll("[data-do]"))
      button.addEventListener("click", () => this.run(button.dataset.do));
    document.addEventListener("onggi:language", () => this.draw());
  }

  async open() {
    try {
      this.list = (await get("disputes")).items.filter(({ key }) => !this.last.some((one) => one.key === key));
      this.at = Math.min(this.at, Math.max(0, this.list.length - 1));
      await this.#read();
    } catch (error) {
      find("#settle-state").textContent = error.message || t("queue_cut");
    }
  }

  async #read() {
    const head = this.list[this.at];
    this.item = head ? await get(`disputes/${head.key}`) : null;
    this.mode = "settling";
    this.draw();
  }

  draw() {
    const { item } = this;
    find("#settle-item").hidden = !item;
    find("#settle-state").textContent = this.list.length > 0 ? t("disputes_left", { count: this.list.length }) : t("disputes_none");
    find("#settle-editor-box").hidden = this.mode !== "editing";
    if (!item) return;
    const main = mainColumn(item.fields);
    find("#settle-title").textContent = item.fields.product ?? t("item");
    find("#settle-facts").replaceChildren(...factNodes(item.fields, main));
    find("#settle-source").textContent = main === null ? "" : valueText(item.fields[main]);
    find("#settle-shown").replaceChildren(...answerNodes(this.session.kind, item.answer, item.faults).filter(Boolean));
    find("#opinions").replaceChildren(...item.opinions.map((opinion, i) => this.#opinionNode(opinion, i)));
  }

  #opinionNode(opinion, i) {
    const letter = String.fromCharCode(65 + i);
    const take = make("button", { type: "button" }, make("kbd", {}, String(i + 1)), ` ${t("take_this", { letter })}`);
    take.addEventListener("click", () => this.run(`take_${i + 1}`));
    const reason = opinion.reason ? t(`reason_${this.session.reasons[opinion.reason - 1]}`) : "";
    const parts = [make("h3", {}, t("opinion_of", { letter })), make("p", {}, t(`decided_${opinion.action}`, { reason }))];
    if (opinion.action === "edit") parts.push(...changeNodes(this.session.kind, this.item.answer, opinion.answer));
    if (opinion.note) parts.push(make("p", { className: "help" }, opinion.note));
    return make("li", {}, ...parts, take);
  }

  run(command) {
    if (command.startsWith("take_")) {
      const opinion = this.item?.opinions[Number(command.slice("take_".length)) - 1];
      if (opinion?.action === "reject") this.#settle({ action: "reject", reason: opinion.reason });
      else if (opinion) this.#settle({ action: "edit", answer: opinion.answer });
      return;
    }
    const actions = {
      edit: () => this.#edit(),
      reject: () => this.item && this.#settle({ action: "reject", reason: 9 }),
      leave: () => {
        this.mode = "settling";
        this.draw();
        find("#settle-item").focus();
      },
      submit: () => this.#submit(),
      next: () => this.#move(1),
      previous: () => this.#move(-1),
      undo: () => this.#undo(),
    };
    actions[command]?.();
  }

  #edit() {
    if (!this.item) return;
    this.mode = "editing";
    this.draw();
    this.form.set(this.item.opinions.find((opinion) => opinion.answer)?.answer ?? this.item.answer);
    this.form.focus();
  }

  #submit() {
    if (this.mode !== "editing") return;
    try {
      this.#settle({ action: "edit", answer: this.form.value() });
    } catch (error) {
      if (!(error instanceof FormError)) throw error;
      this.say(error.message);
    }
  }

  async #move(step) {
    this.at = Math.max(0, Math.min(this.list.length - 1, this.at + step));
    await this.#read();
  }

  async #settle(decision) {
    const event = { id: newId(), kind: "settle", item: this.item.key, version: this.item.version, guideline: this.session.guideline, ...decision };
    this.record(event);
    this.last.push({ key: this.item.key, id: event.id });
    this.list.splice(this.at, 1);
    this.at = Math.min(this.at, Math.max(0, this.list.length - 1));
    this.say(t("settled"));
    await this.#read().catch(() => this.draw());
    find(this.item ? "#settle-item" : "#main").focus();
  }

  #undo() {
    const last = this.last.pop();
    if (!last) return this.say(t("undo_none"));
    this.record({ id: newId(), kind: "undo", target: last.id });
    this.say(t("undone"));
    setTimeout(() => this.open(), 200);
  }

  /** What the server said of a settlement: one that came too late is shown again. */
  hear(result) {
    if (result.outcome === "ok" || result.outcome === "again") return;
    this.last = this.last.filter((one) => one.id !== result.id);
    this.open();
  }
}
