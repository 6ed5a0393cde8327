// Before anything is painted: the theme that was chosen, or else the machine's.
(() => {
  try {
    const chosen = localStorage.getItem("headway/theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // A browser that keeps nothing has the machine's theme.
  }
})();
