// Before the first paint, so that a page that was set to dark does not flash; a classic script for that reason.
{
  let theme = "auto";
  try {
    theme = localStorage.getItem("onggi.theme") ?? "auto";
  } catch {
    // Storage is switched off: the system's colours then.
  }
  document.documentElement.dataset.theme = theme;
}
