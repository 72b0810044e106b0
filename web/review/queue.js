import { post } from "./api.js";
import { loadJson, save } from "../src/storage.js";

/** The items of one person, in the order in which they are shown: those decided stay at hand, the next are there before
 *  they are asked for. */

const leastAhead = 20;
const batch = 40;
const mostKept = 40; // Decided ones, for going back and undoing.

export class Queue {
  /** `change()` when items have come. `isWaiting(key)`: whether a decision on it is on its way. */
  constructor({ change, isWaiting }) {
    Object.assign(this, { change, isWaiting, items: [], at: 0, isEmpty: false, isCut: false });
  }

  start(store) {
    this.memory = `review.decided.${store}`;
    this.items = loadJson(this.memory, "sessionStorage") ?? [];
    this.at = this.items.length;
    return this.fill();
  }

  get current() {
    return this.items[this.at] ?? null;
  }

  #ahead() {
    return this.items.filter((item, i) => i >= this.at && !item.decision).length;
  }

  /** Asks for more where few are left. Does not wait for what is asked for already. */
  fill() {
    if (this.#ahead() >= leastAhead) return this.filling ?? Promise.resolve();
    this.filling ??= this.#fill().finally(() => (this.filling = null));
    return this.filling;
  }

  async #fill() {
    const have = this.items.filter((item) => !item.decision || this.isWaiting(item.key)).map((item) => item.key);
    try {
      const { items } = await post("lease", { count: batch, have });
      for (const item of items) {
        const old = this.find(item.key);
        if (old && this.isWaiting(item.key)) continue; // The server does not know of the decision yet.
        if (old) this.#remove(old); // Taken back elsewhere: it is open again.
        this.items.push(item);
      }
      this.isEmpty = items.length === 0;
      this.isCut = false;
    } catch (error) {
      this.isCut = true;
      this.problem = error;
    }
    this.change();
  }

  /** To the next item without a decision, the ones passed over last. */
  advance() {
    const later = this.items.findIndex((item, i) => i > this.at && !item.decision);
    const earlier = this.items.findIndex((item) => !item.decision);
    this.at = later >= 0 ? later : earlier >= 0 ? earlier : this.items.length;
    this.fill();
  }

  move(step) {
    this.at = Math.max(0, Math.min(this.items.length, this.at + step));
    if (this.at === this.items.length && this.items.length > 0 && this.isEmpty) this.at = this.items.length - 1;
    this.fill();
  }

  decide(item, decision) {
    item.decision = decision;
    ++item.version;
    this.#forget();
    this.#remember();
  }

  /** Undoes what was decided last; null where nothing is left. */
  undo() {
    const decided = this.items.filter((item) => item.decision);
    const item = decided.reduce((last, other) => (!last || other.decision.order > last.decision.order ? other : last), null);
    if (!item) return null;
    const { decision } = item;
    item.decision = null;
    ++item.version;
    this.at = this.items.indexOf(item);
    this.#remember();
    return { item, decision };
  }

  find(key) {
    return this.items.find((item) => item.key === key) ?? null;
  }

  /** In front of all others: a set's sample. */
  put(items) {
    const keys = new Set(items.map((item) => item.key));
    const rest = this.items.filter((item) => !keys.has(item.key));
    const at = Math.min(this.at, rest.length);
    this.items = [...rest.slice(0, at), ...items, ...rest.slice(at)];
    this.at = at;
  }

  #forget() {
    const decided = this.items.filter((item) => item.decision);
    if (decided.length <= mostKept) return;
    const oldest = decided.reduce((a, b) => (a.decision.order < b.decision.order ? a : b));
    this.#remove(oldest);
  }

  #remove(item) {
    const i = this.items.indexOf(item);
    this.items.splice(i, 1);
    if (i < this.at) --this.at;
  }

  #remember() {
    save(this.memory, JSON.stringify(this.items.filter((item) => item.decision)), "sessionStorage");
  }
}
