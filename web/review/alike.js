import { get, newId, post } from "./api.js";
import { find, make } from "./dom.js";
import { t } from "../src/i18n.js";

/** Sets of items that are alike: a sample of each is looked at one by one, then the rest may be accepted at once. */
export class Alike {
  /** `judge(items)` shows a sample as the next items. */
  constructor({ session, record, judge, say }) {
    Object.assign(this, { session, record, judge, say, sets: [] });
    document.addEventListener("onggi:language", () => this.draw());
  }

  async open() {
    try {
      this.sets = (await get("sets")).sets;
      this.problem = "";
    } catch (error) {
      this.problem = error.message || t("queue_cut");
    }
    this.draw();
  }

  draw() {
    find("#alike-state").textContent = this.problem || (this.sets.length === 0 ? t("alike_none") : "");
    find("#alike-list").replaceChildren(...this.sets.map((set) => this.#node(set)));
  }

  #node(set) {
    const labels = set.labels.length > 0 ? set.labels.join(" · ") : t("no_theme");
    const state = make("p", { className: "help", role: "status" }, t("alike_size", { open: set.open, size: set.size }));
    const look = make("button", { type: "button" }, t("alike_look"));
    const accept = make("button", { type: "button", className: "primary", hidden: true });
    look.addEventListener("click", () => this.#look(set, state, accept));
    accept.addEventListener("click", () => this.#accept(set, state, accept));
    return make("li", {}, make("h3", {}, labels), state, make("div", { className: "buttons" }, look, accept));
  }

  async #look(set, state, accept) {
    let opened;
    try {
      opened = await post(`sets/${set.set}`, {});
    } catch (error) {
      state.textContent = error.message || t("queue_cut");
      return;
    }
    const { audit, items, remaining } = opened;
    if (audit.failed > 0) {
      state.textContent = t("alike_failed", { failed: audit.failed, size: audit.size });
    } else if (items.length > 0) {
      this.judge(items);
      this.say(t("alike_sample", { count: items.length }));
    } else {
      state.textContent = t("alike_ready", { size: audit.size, remaining });
      accept.hidden = remaining === 0;
      accept.textContent = t("alike_accept", { remaining });
      if (remaining > 0) accept.focus();
    }
  }

  #accept(set, state, accept) {
    accept.hidden = true;
    state.textContent = t("alike_sent");
    this.record({ id: newId(), kind: "accept_set", set: set.set, guideline: this.session.guideline });
  }

  hear(result) {
    if (result.outcome === "ok" || result.outcome === "again") this.say(t("alike_done", { count: result.count ?? 0 }));
    this.open();
  }
}
