/** Keeps the focus on the page: when the focused element is removed, its nearest container that is left has the focus. */
let around: readonly HTMLElement[] = [];

/** Watch for it. Without this the focus falls to the body, and Tab begins at the top again. */
export function keepFocus(): void {
  const seen = new MutationObserver(() => {
    // What removed the element may move the focus itself, as a menu does to its button.
    if (around[0]?.isConnected === false) setTimeout(restore);
  });
  document.addEventListener("focusin", ({ target }) => {
    around = ancestors(target as HTMLElement);
    // Begun with the first focus: until then nothing can be lost, and the first page is built unwatched.
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
