import { firstLanguage, rememberLanguage, setLanguage, t, useStrings } from "../src/i18n.js";
import { load, save } from "../src/storage.js";
import { Alike } from "./alike.js";
import { get, who } from "./api.js";
import { faultText, find, make } from "./dom.js";
import { Judge } from "./judge.js";
import { commandOf, commands, isComposing } from "./keys.js";
import { markdown } from "./markdown.js";
import { Outbox } from "./outbox.js";
import { Progress } from "./progress.js";
import { Queue } from "./queue.js";
import { Settle } from "./settle.js";
import { follow } from "./stream.js";
import { strings } from "./strings.js";

const views = ["judge", "settle", "alike", "progress"];
const shownKeys = { ArrowRight: "→", ArrowLeft: "←", Slash: "?", Enter: "Enter", Escape: "Esc" };

class Page {
  start() {
    useStrings(strings);
    this.#startSettings();
    this.progress = new Progress();
    this.waiting = new Map(); // Items with decisions on their way: key to number of them.
    this.outbox = new Outbox({ hear: (results) => this.#hear(results), change: () => this.#drawLine() });
    this.#listen();
    this.#enter();
  }

  #startSettings() {
    const [language, theme] = [find("#language"), find("#theme")];
    language.value = firstLanguage();
    setLanguage(language.value);
    language.addEventListener("change", () => {
      rememberLanguage(language.value);
      setLanguage(language.value);
      this.#drawLine();
      this.#drawSheet();
    });
    theme.value = load("theme") ?? "auto";
    theme.addEventListener("change", () => {
      save("theme", theme.value);
      document.documentElement.dataset.theme = theme.value;
    });
    find("#letters").checked = load("review.letters") !== "off";
    find("#letters").addEventListener("change", (event) => save("review.letters", event.target.checked ? null : "off"));
    this.#drawSheet();
  }

  /** Who reviews: asked for where the server does not know. */
  async #enter() {
    if (!who.name && !who.token) return this.#ask("");
    try {
      const session = await get("session");
      find("#who").close();
      await this.#open(session);
    } catch (error) {
      if (error.status === 401) return this.#ask(error.message);
      if (error.status !== 0 && error.status !== 503) throw error;
      find("#line").textContent = t("line_cut");
      setTimeout(() => this.#enter(), 1000);
    }
  }

  #ask(problem) {
    const dialog = find("#who");
    find("#who-name").value = who.name;
    find("#who-problem").textContent = problem;
    if (!dialog.open) dialog.showModal();
    find("#who-name").focus();
  }

  async #open(session) {
    this.session = session;
    find("#person-name").textContent = session.person;
    find("#person").hidden = false;
    document.querySelector('[data-view="settle"]').hidden = !session.may_settle;
    const parts = { session, record: (event) => this.#record(event), say: (text) => this.#say(text) };
    this.queue = new Queue({ change: () => this.#drawQueue(), isWaiting: (key) => this.waiting.has(key) });
    this.judge = new Judge({ ...parts, queue: this.queue });
    this.settle = new Settle(parts);
    this.alike = new Alike({
      ...parts,
      judge: (items) => {
        this.queue.put(items);
        location.hash = "#judge";
        this.judge.draw(true);
        find("#item").focus();
      },
    });
    for (const event of await this.outbox.start(session.store, session.person)) this.#count(event, 1);
    this.#readGuidelines(session.guideline);
    follow(`onggi-review-${session.store}-${session.person}`, (progress) => this.#hearProgress(progress));
    await this.queue.start(session.store);
    this.judge.draw(true);
    this.#show();
    if (document.activeElement === document.body) find("#item").focus({ preventScroll: true });
  }

  #count(event, step) {
    if (!event.item) return;
    const count = (this.waiting.get(event.item) ?? 0) + step;
    if (count > 0) this.waiting.set(event.item, count);
    else this.waiting.delete(event.item);
  }

  #record(event) {
    this.#count(event, 1);
    this.outbox.add(event).catch((error) => {
      find("#problems").hidden = false;
      find("#problems ul").append(make("li", {}, t("not_kept", { message: error.message })));
    });
  }

  #hear(results) {
    for (const result of results) {
      this.#count(result.event, -1);
      if (result.event.kind === "settle") this.settle.hear(result);
      if (result.event.kind === "accept_set") this.alike.hear(result);
      if (result.outcome !== "ok" && result.outcome !== "again") this.#drawProblem(result);
      if (this.judge?.unchecked.delete(result.id) && result.faults) this.#drawLateFaults(result);
    }
    if (this.queue?.isCut) this.queue.fill();
  }

  /** A decision that the server did not take: the item is there again, with what is known of it now. */
  #drawProblem(result) {
    const known = this.queue?.find(result.event.item);
    const title = known?.fields.product ?? result.now?.fields.product ?? "";
    find("#problems").hidden = false;
    find("#problems ul").append(make("li", {}, t(`problem_${result.outcome}`, { title, message: result.message ?? "" })));
    if (!result.now) return;
    if (known) Object.assign(known, { version: result.now.version, mine: result.now.mine, decision: null });
    else this.queue?.put([result.now]);
    this.judge.draw();
  }

  /** What the rules say of an answer that was sent before they could be asked. */
  #drawLateFaults(result) {
    const title = this.queue.find(result.event.item)?.fields.product ?? "";
    const message = result.faults.map((code) => faultText({ code, message: code, at: 0 })).join(" · ");
    find("#problems").hidden = false;
    find("#problems ul").append(make("li", {}, t("problem_faults", { title, message })));
  }

  #hearProgress(progress) {
    this.progress.show(progress);
    if (progress.guideline !== this.session.guideline) {
      this.session.guideline = progress.guideline;
      this.#readGuidelines(progress.guideline);
      this.#say(t("guideline_new"));
      find("#guideline-new").hidden = false;
    }
    if (this.queue && !this.queue.current) this.queue.fill();
  }

  async #readGuidelines(hash) {
    const toggle = find("#guideline-button");
    toggle.hidden = hash === "";
    if (hash === "") return;
    try {
      const { text } = await get(`guidelines/${hash}`);
      find("#guideline-text").replaceChildren(...markdown(text, 2));
      for (const region of find("#guideline-text").querySelectorAll("[role=region]")) region.setAttribute("aria-label", t("table"));
      find("#guideline-version").textContent = t("guideline_version", { version: hash.slice(0, 8) });
    } catch {
      setTimeout(() => this.#readGuidelines(this.session.guideline), 2000);
    }
  }

  #toggleGuideline() {
    const panel = find("#guideline");
    panel.hidden = !panel.hidden;
    find("#guideline-button").setAttribute("aria-expanded", String(!panel.hidden));
    find("#guideline-new").hidden = true;
    save("review.guideline", panel.hidden ? "closed" : null);
    if (!panel.hidden) find("#guideline-title").focus();
    else find("#item").focus();
  }

  #drawQueue() {
    if (this.judge && (!this.judge.item || this.judge.drawn !== this.judge.item.key)) this.judge.draw();
  }

  #drawLine() {
    const { numWaiting, isCut, isLasting } = this.outbox;
    const line = find("#line");
    const name = isCut ? "line_kept" : numWaiting > 0 ? "line_sending" : "line_saved";
    const text = this.session ? t(name, { count: numWaiting }) + (isLasting ? "" : ` ${t("line_memory")}`) : "";
    if (line.textContent !== text) line.textContent = text;
    line.classList.toggle("cut", isCut);
  }

  #drawSheet() {
    const rows = ["judging", "editing", "settling"].flatMap((place) => [
      make("tr", {}, make("th", { colSpan: 2, scope: "rowgroup" }, t(`place_${place}`))),
      ...commands[place]
        .filter(({ name }) => !/_[2-9]$/.test(name))
        .map(({ name, codes, control }) => {
          const keys = codes.filter((code) => code !== "NumpadEnter" && !code.startsWith("Numpad"));
          const shown = keys.map((code) => shownKeys[code] ?? code.replace(/^Key|^Digit/, ""));
          const kbds = shown.flatMap((key) => [make("kbd", {}, `${control ? "Ctrl+" : ""}${key === "1" ? "1–9" : key}`), " "]);
          return make("tr", {}, make("td", {}, ...kbds), make("td", {}, t(`key_${name.replace(/_1$/, "")}`)));
        }),
    ]);
    find("#sheet-keys").replaceChildren(make("tbody", {}, ...rows));
  }

  #say(text) {
    find("#spoken").replaceChildren(text === "" ? "" : make("p", {}, text));
  }

  #place() {
    if (find("dialog[open]")) return null;
    if (this.view === "judge") return this.judge?.mode ?? null;
    if (this.view === "settle") return this.settle?.mode ?? null;
    return null;
  }

  #onKey(event) {
    const place = this.#place();
    const isInField = event.target.matches?.("input:not([type=checkbox]), textarea, select") ?? false;
    const options = { isInField, areLettersOff: !find("#letters").checked };
    const command = commandOf(event, place ?? "judging", options);
    if (command === "help" && !find("dialog[open]")) {
      event.preventDefault();
      find("#sheet").showModal();
      return;
    }
    if (!place || !command) return;
    event.preventDefault();
    if (command === "guideline") this.#toggleGuideline();
    else if (this.view === "judge") this.judge.run(command);
    else this.settle.run(command);
  }

  #show() {
    const wanted = location.hash.slice(1);
    this.view = views.includes(wanted) ? wanted : "judge";
    for (const page of document.querySelectorAll("[data-page]")) page.hidden = page.id !== this.view;
    for (const link of document.querySelectorAll("[data-view]")) {
      if (link.dataset.view === this.view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (this.view === "settle") this.settle?.open();
    if (this.view === "alike") this.alike?.open();
  }

  #listen() {
    document.addEventListener("keydown", (event) => this.#onKey(event));
    addEventListener("hashchange", () => this.#show());
    find("#guideline").hidden = load("review.guideline") === "closed" || innerWidth < 900;
    find("#guideline-button").setAttribute("aria-expanded", String(!find("#guideline").hidden));
    find("#guideline-button").addEventListener("click", () => this.#toggleGuideline());
    find("#sheet-button").addEventListener("click", () => find("#sheet").showModal());
    find("#problems-clear").addEventListener("click", () => {
      find("#problems ul").replaceChildren();
      find("#problems").hidden = true;
    });
    find("#person").addEventListener("click", () => this.#ask(""));
    find("#who form").addEventListener("submit", (event) => {
      event.preventDefault();
      who.name = find("#who-name").value.trim();
      who.token = find("#who-token").value.trim();
      if (!who.name && !who.token) return;
      if (this.session) location.reload();
      else this.#enter();
    });
    // Enter that ends a syllable of Hangul is no wish to go on.
    find("#who form").addEventListener("keydown", (event) => {
      if (event.code === "Enter" && isComposing(event)) event.preventDefault();
    });
    find("#who").addEventListener("cancel", (event) => !this.session && event.preventDefault());
  }
}

new Page().start();
