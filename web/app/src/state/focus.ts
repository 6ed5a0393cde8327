/** What has the focus may go with what was done: a row that ended, a button that was answered. Then what was around it has the focus. */
let around: readonly HTMLElement[] = [];

/** Never leave whoever uses keys nowhere. */
export function keepFocus(): void {
  const seen = new MutationObserver(() => {
    // Whoever took it away may give it on: a menu to its button.
    if (around[0]?.isConnected === false) setTimeout(restore);
  });
  document.addEventListener("focusin", ({ target }) => {
    around = ancestors(target as HTMLElement);
    // Nothing is lost before somebody is somewhere: a first visit is built without being watched.
    seen.observe(document.body, { childList: true, subtree: true });
  });
}

function restore(): void {
  const [last] = around;
  if (!last || last.isConnected || document.activeElement !== document.body) return;
  const next = around.find((one) => one.isConnected && one.matches("li, tr, form, section, article, main"));
  around = [];
  if (!next) return;
  if (!next.hasAttribute("tabindex")) next.tabIndex = -1;
  next.focus({ preventScroll: true });
}

function ancestors(of: HTMLElement): HTMLElement[] {
  const found: HTMLElement[] = [];
  for (let one: HTMLElement | null = of; one && one !== document.body; one = one.parentElement) found.push(one);
  return found;
}
