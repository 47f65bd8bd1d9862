"use strict";
// Before the first paint, so that nothing flashes.
(() => {
  let kept = null;
  try { kept = localStorage.getItem("forge-theme"); } catch { /* a browser may keep nothing */ }
  if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
})();
