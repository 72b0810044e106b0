import { t } from "./i18n.js";
import { loadJson, save } from "./storage.js";
import { slotsOf } from "./template.js";

/** The form's values by name, kept across reloads and put into links. Texts only; the fields are the truth. */
export class AskForm {
  constructor(form) {
    this.form = form;
    this.slots = form.querySelector("#slots");
    this.defaults = this.values();
    this.wanted = {}; // Choices of models that the list, which comes later, may offer.
    form.addEventListener("input", () => this.#changed());
  }

  values() {
    return Object.fromEntries([...new FormData(this.form)].map(([name, value]) => [name, String(value)]));
  }

  /** What differs from the form as it first is. */
  changes() {
    return Object.fromEntries(
      Object.entries(this.values()).filter(([name, value]) => value !== (this.defaults[name] ?? "")),
    );
  }

  /** What stands in the address, else what was kept. */
  restore(query) {
    this.set(query ? Object.fromEntries(new URLSearchParams(query)) : (loadJson("form") ?? {}));
  }

  set(values) {
    this.form.reset();
    this.wanted = values;
    this.slots.querySelectorAll("label").forEach((label) => label.remove());
    for (const [name, value] of Object.entries(values)) this.#put(name, value);
    if (values.mode) this.form.elements.mode.value = values.mode;
    this.#chooseModels();
    this.#update();
    for (const [name, value] of Object.entries(values)) if (name.startsWith("slot:")) this.#put(name, value);
    this.#keep();
  }

  /** Fills the two lists; `models` as /v1/models lists them. */
  offer(models) {
    const { model, other } = this.form.elements;
    const before = this.values();
    const optionOf = ({ id, parent }) => new Option(parent === null ? t("base", { name: id }) : id, id);
    model.replaceChildren(...(models.length > 0 ? models.map(optionOf) : [new Option(t("models_none"), "")]));
    other.replaceChildren(new Option(t("other_none"), ""), ...models.map(optionOf));
    if (before.model) this.wanted = { model: before.model, other: before.other };
    this.#chooseModels();
    this.#keep();
  }

  /** Names a field as wrong, with the reason below it, and goes there. False where there is no such field. */
  reject(name, message = "") {
    const field = this.#field(name);
    if (!(field instanceof HTMLElement)) return false;
    field.closest("details")?.setAttribute("open", "");
    field.setAttribute("aria-invalid", "true");
    if (message !== "") {
      const note = Object.assign(document.createElement("span"), {
        className: "wrong",
        id: "wrong",
        textContent: message,
      });
      note.setAttribute("role", "alert");
      field.after(note);
      field.setAttribute("aria-errormessage", note.id);
    }
    field.focus();
    return true;
  }

  accept() {
    this.form.querySelector("#wrong")?.remove();
    for (const field of this.form.querySelectorAll("[aria-invalid]")) {
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-errormessage");
    }
  }

  labelOf(name) {
    return this.#field(name)?.closest?.("label")?.querySelector("span")?.textContent ?? name;
  }

  #field(name) {
    return this.form.elements.namedItem(name);
  }

  /** Leaves alone what is no single field: radio buttons, and names that are not there. */
  #put(name, value) {
    const field = this.#field(name);
    if (field instanceof HTMLElement) field.value = value;
    if (field instanceof HTMLSelectElement && field.selectedIndex < 0) field.selectedIndex = 0;
  }

  #chooseModels() {
    for (const name of ["model", "other"]) if (this.wanted[name] !== undefined) this.#put(name, this.wanted[name]);
  }

  #changed() {
    this.#update();
    this.#keep();
  }

  #keep() {
    const changes = this.changes();
    // While there is no list to choose from, what was chosen last time is still wanted.
    if (!this.form.elements.model.value)
      for (const name of ["model", "other"]) if (this.wanted[name]) changes[name] = this.wanted[name];
    save("form", JSON.stringify(changes));
  }

  /** Shows the fields that the others call for. */
  #update() {
    const values = this.values();
    for (const part of this.form.querySelectorAll("[data-if-mode]")) part.hidden = part.dataset.ifMode !== values.mode;
    for (const part of this.form.querySelectorAll("[data-if-guide]"))
      part.hidden = part.dataset.ifGuide !== values.guide;
    const names = slotsOf(values.mode === "chat" ? values.system : "", values.prompt);
    const labels = new Map([...this.slots.querySelectorAll("label")].map((label) => [label.dataset.slot, label]));
    for (const [name, label] of labels) {
      // One that was left empty goes as its name is changed; one that was filled in stays until the form is set anew.
      if (!names.includes(name) && label.querySelector("textarea").value === "") label.remove();
      label.hidden = !names.includes(name);
    }
    for (const name of names) if (!labels.has(name)) this.slots.append(this.#slotLabel(name));
    this.slots.hidden = names.length === 0;
  }

  #slotLabel(name) {
    const label = document.createElement("label");
    label.dataset.slot = name;
    const title = Object.assign(document.createElement("span"), { textContent: name });
    const field = Object.assign(document.createElement("textarea"), {
      name: `slot:${name}`,
      rows: 1,
      spellcheck: false,
    });
    label.append(title, field);
    return label;
  }
}
