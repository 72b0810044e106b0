import { firstLanguage, rememberLanguage, setLanguage, useStrings } from "./i18n.js";
import { Live } from "./pages/live.js";
import { Playground } from "./pages/playground.js";
import { load, save } from "./storage.js";
import { strings } from "./strings.js";

function startSettings() {
  const language = document.getElementById("language");
  language.addEventListener("change", () => {
    rememberLanguage(language.value);
    setLanguage(language.value);
  });
  const theme = document.getElementById("theme");
  theme.value = load("theme") ?? "auto";
  theme.addEventListener("change", () => {
    save("theme", theme.value);
    document.documentElement.dataset.theme = theme.value;
  });
  language.value = firstLanguage();
  setLanguage(language.value);
}

/** "#live" or "#playground?model=...": the view and what its form is set to. */
function readAddress() {
  const [view, query = ""] = location.hash.slice(1).split("?", 2);
  return { view: view === "live" ? "live" : "playground", query };
}

function show(view, live) {
  for (const page of document.querySelectorAll("[data-page]")) page.hidden = page.id !== view;
  for (const link of document.querySelectorAll("[data-view]")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  live.isShown = view === "live";
}

useStrings(strings);
startSettings();
const live = new Live();
const playground = new Playground();
const { view, query } = readAddress();
playground.start(query);
show(view, live);
addEventListener("hashchange", () => {
  const address = readAddress();
  if (address.query) playground.start(address.query);
  show(address.view, live);
});
