import { load, save } from "./storage.js";

let language = "en";
let strings = { en: {}, ko: {} };

/** The texts of the page, by language and name: before anything is asked for. */
export function useStrings(table) {
  strings = table;
}

/** The text of this name in the page's language; {name} becomes values[name]. */
export function t(name, values = {}) {
  const text = strings[language][name];
  if (text === undefined) throw new Error(`no text "${name}" in ${language}`);
  return text.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
}

/** A number as people of this language read it. */
export function formatNumber(value, digits = 0) {
  return value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A probability in per cent: two figures that count, and never 100 for what could have been otherwise. */
export function percent(probability) {
  const value = probability * 100;
  if (value >= 99.95) return probability === 1 ? "100" : ">99.9";
  if (value >= 10) return formatNumber(value, 1);
  return value < 0.01 ? "<0.01" : formatNumber(value, 2);
}

export function formatTime(date) {
  return date.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** Fills in every element of `root` that names a text: its content, its label or its placeholder. */
export function translate(root = document) {
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll("[data-t-label]"))
    element.setAttribute("aria-label", t(element.dataset.tLabel));
  for (const element of root.querySelectorAll("[data-t-placeholder]"))
    element.placeholder = t(element.dataset.tPlaceholder);
}

/** Sets the page's language; whoever draws texts by hand hears the event `onggi:language`. */
export function setLanguage(wanted) {
  language = wanted in strings ? wanted : "en";
  document.documentElement.lang = language;
  translate();
  document.dispatchEvent(new Event("onggi:language"));
}

/** What was chosen last time, else Korean where that is the browser's language. */
export function firstLanguage() {
  return load("language") ?? (navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en");
}

export function rememberLanguage(wanted) {
  save("language", wanted);
}
