// Runs before the first paint: marks that scripts work and chooses light or dark.
// The choice ("light", "dark", or none for the system's) stays on this device.
(function () {
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  root.classList.add("js");

  function chosen() {
    try { return window.localStorage.getItem("myelon:theme"); } catch { return null; }
  }

  function apply() {
    root.dataset.bsTheme = chosen() || (system.matches ? "dark" : "light");
    document.dispatchEvent(new CustomEvent("myelon:theme"));
  }

  window.addEventListener("storage", apply);
  system.addEventListener("change", apply);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-toggle]");
    if (!button) return;
    const next = root.dataset.bsTheme === "dark" ? "light" : "dark";
    try { window.localStorage.setItem("myelon:theme", next); } catch { /* private window */ }
    root.dataset.bsTheme = next;
    document.dispatchEvent(new CustomEvent("myelon:theme"));
  });
  // Paper is white.
  window.matchMedia("print").addEventListener("change", (event) => {
    if (event.matches) root.dataset.bsTheme = "light";
    else apply();
  });
  apply();
})();
