import { ApiError, post } from "./api.js";

/** Decisions on their way to the server. They are kept in the browser's database from the moment they are made until the
 *  server has said that it has them, in their order, each under its own id: sent twice, it counts once. A reload, a server
 *  that is gone, a browser that is closed change nothing. */

const table = "events";
const largestBatch = 100;
const pauses = [150, 300, 600, 1200, 2500, 4000]; // Milliseconds between tries.

const asPromise = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const done = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });

/** Rows {number, store, person, event} in the browser's database. */
class Database {
  async open() {
    const request = indexedDB.open("onggi-review", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(table, { keyPath: "number", autoIncrement: true });
    this.database = await asPromise(request);
    return this;
  }
  async add(row) {
    const transaction = this.database.transaction(table, "readwrite");
    const number = asPromise(transaction.objectStore(table).add(row));
    await done(transaction);
    return number;
  }
  all() {
    return asPromise(this.database.transaction(table).objectStore(table).getAll());
  }
  async remove(numbers) {
    const transaction = this.database.transaction(table, "readwrite");
    for (const number of numbers) transaction.objectStore(table).delete(number);
    await done(transaction);
  }
}

/** The same without a database (a private window): it lives as long as the page. */
class Memory {
  rows = [];
  last = 0;
  async add(row) {
    this.rows.push({ ...row, number: ++this.last });
    return this.last;
  }
  async all() {
    return [...this.rows];
  }
  async remove(numbers) {
    this.rows = this.rows.filter((row) => !numbers.includes(row.number));
  }
}

export class Outbox {
  /** `hear(results)` gets each answer of the server with its event; `change()` whenever the number waiting or the state of
   *  the line has changed. */
  constructor({ hear, change }) {
    Object.assign(this, { hear, change, numAdding: 0, numKept: 0, numWaiting: 0, isCut: false, isLasting: true, numFailures: 0 });
    Object.assign(this, { isSending: false, hasMore: false });
    addEventListener("online", () => this.#wake());
    document.addEventListener("visibilitychange", () => !document.hidden && this.#wake());
  }

  /** Whose events these are: `store` is the server's, which may be another tomorrow under the same address. */
  async start(store, person) {
    Object.assign(this, { store, person });
    try {
      this.rows ??= await new Database().open();
    } catch {
      this.isLasting = false;
      this.rows ??= new Memory();
    }
    const mine = await this.#mine();
    this.#count();
    this.#send();
    return mine.map((row) => row.event);
  }

  /** Resolves when the event is kept here; it is sent by itself. */
  async add(event) {
    ++this.numAdding;
    this.#count();
    try {
      await this.rows.add({ store: this.store, person: this.person, event });
      ++this.numKept;
    } finally {
      --this.numAdding;
      this.#count();
    }
    this.#send();
  }

  async #mine() {
    const rows = (await this.rows.all()).filter((row) => row.store === this.store && row.person === this.person);
    this.numKept = rows.length;
    return rows;
  }

  #count() {
    // What came while the rows were being read is not among them yet.
    this.numWaiting = Math.max(this.numAdding + this.numKept, Number(this.hasMore));
    this.change();
  }

  #wake() {
    clearTimeout(this.timer);
    this.numFailures = 0;
    if (this.rows) this.#send();
  }

  async #send() {
    if (this.isSending) {
      this.hasMore = true;
      return;
    }
    this.isSending = true;
    clearTimeout(this.timer);
    try {
      // One tab at a time, where the browser can say so; ids make the rest harmless.
      const work = () => this.#sendAll();
      await (navigator.locks ? navigator.locks.request("onggi-review-send", work) : work());
      this.numFailures = 0;
      this.isCut = false;
    } catch (error) {
      this.isCut = true;
      this.hasMore = false;
      this.timer = setTimeout(() => this.#send(), pauses[Math.min(this.numFailures++, pauses.length - 1)]);
      if (!(error instanceof ApiError)) throw error;
    } finally {
      this.isSending = false;
      this.#count();
    }
    if (this.hasMore) this.#send();
  }

  async #sendAll() {
    for (;;) {
      this.hasMore = false;
      const rows = (await this.#mine()).slice(0, largestBatch);
      this.#count();
      if (rows.length === 0) return;
      await this.#sendBatch(rows);
      this.isCut = false;
    }
  }

  async #sendBatch(rows) {
    let results;
    try {
      ({ results } = await post("events", { events: rows.map((row) => row.event) }));
    } catch (error) {
      if (error.status !== 400 || rows.length === 1) {
        if (error.status !== 400) throw error;
        results = [{ id: rows[0].event.id, outcome: "refused", message: error.message }];
      } else {
        for (const row of rows) await this.#sendBatch([row]); // One of them can't be read: the others can.
        return;
      }
    }
    await this.rows.remove(rows.map((row) => row.number));
    await this.#mine();
    const byId = new Map(rows.map((row) => [row.event.id, row.event]));
    this.hear(results.map((result) => ({ ...result, event: byId.get(result.id) })));
  }
}
