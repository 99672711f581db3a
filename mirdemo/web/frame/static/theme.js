/* Light and dark: as this browser was told last, else as it is set. */
"use strict";
(() => {
  function wear(theme) {
    document.body.classList.toggle("dark", theme === "dark");
    mirdemo.charts(document);
  }
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-theme-toggle]")) return;
    const theme = document.body.classList.contains("dark") ? "light" : "dark";
    mirdemo.remember(localStorage, "mirdemo-theme", theme);
    wear(theme);
  });

  const wished = mirdemo.remember(localStorage, "mirdemo-theme");
  mirdemo.wear = () => wished && wear(wished);
  wear(wished || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")); // before anything is painted
})();
