/** What an embedded card is drawn of: elements and a sheet made by hand, so that no policy of a page forbids them. */
export type Part = Element;

const SVG = "http://www.w3.org/2000/svg";
const FLAME = "M12 2c1 4 6 6 6 12a6 6 0 0 1-12 0c0-2 1-4 2-5 0 2 1 3 2 3 2 0 1-5 2-10z";

/** Colors follow the page: light unless its `color-scheme` says otherwise, or the element's `theme` does. */
export const SHEET = new CSSStyleSheet();
SHEET.replaceSync(`
:host { display: block; max-inline-size: 26rem; font: 1rem/1.45 system-ui, sans-serif; }
:host([hidden]) { display: none; }
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
:host([theme="auto"]) { color-scheme: light dark; }
.card {
  box-sizing: border-box; display: flex; flex-wrap: wrap; align-items: center; align-content: center; gap: 0.35em 0.6em;
  min-block-size: 6.4em; padding: 0.9em 1.1em; border-radius: 0.8em;
  border: 1px solid var(--headway-line, light-dark(#e3e1d9, #2d3733));
  background: var(--headway-background, light-dark(#ffffff, #1a201d));
  color: var(--headway-ink, light-dark(#1b221f, #e9efec));
  overflow-wrap: anywhere; font-variant-numeric: tabular-nums;
}
a { flex: 1; min-inline-size: 8em; color: inherit; font-weight: 600; text-underline-offset: 0.2em; }
a:focus-visible, button:focus-visible { outline: 2px solid var(--headway-accent, light-dark(#0a7363, #5dd1b9)); outline-offset: 2px; }
p { margin: 0; }
.value { font-weight: 700; }
.note { flex-basis: 100%; font-size: 0.9em; color: var(--headway-soft, light-dark(#565f5a, #a5b1ab)); }
progress {
  appearance: none; flex-basis: 100%; block-size: 0.55em; border: 0; border-radius: 1em; overflow: hidden;
  background: var(--headway-track, light-dark(#e6e4dc, #2d3733)); color: var(--headway-accent, light-dark(#0a7363, #5dd1b9));
}
progress::-webkit-progress-bar { background: var(--headway-track, light-dark(#e6e4dc, #2d3733)); }
progress::-webkit-progress-value { background: var(--headway-accent, light-dark(#0a7363, #5dd1b9)); border-radius: 1em; }
progress::-moz-progress-bar { background: currentColor; border-radius: 1em; }
svg { flex: none; inline-size: 1.6em; block-size: 1.6em; fill: light-dark(#80857c, #76827c); }
svg.lit { fill: light-dark(#d9730d, #f9a65f); }
button {
  font: inherit; font-size: 0.9em; padding: 0.35em 0.9em; border-radius: 0.5em; cursor: pointer;
  border: 1px solid light-dark(#80857c, #76827c); background: none; color: inherit;
}
@media (forced-colors: active) { progress { border: 1px solid; } }
`);

export function card(parts: readonly Part[]): HTMLElement {
  const made = document.createElement("div");
  made.className = "card";
  made.part.add("card");
  made.append(...parts);
  return made;
}

/** A line of text; its `kind` is its class, and the part by which a page can style it. */
export function text(kind: "note" | "value", said: string): Part {
  const made = document.createElement("p");
  made.className = kind;
  made.part.add(kind);
  made.dir = "auto";
  made.textContent = said;
  return made;
}

/** The title, which leads to the whole of what is shown here in short. */
export function link(href: string, said: string): Part {
  const made = document.createElement("a");
  made.href = href;
  made.target = "_top";
  made.part.add("title");
  made.dir = "auto";
  made.textContent = said;
  return made;
}

export function bar(percent: number, label: string): Part {
  const made = document.createElement("progress");
  made.max = 100;
  made.value = percent;
  made.part.add("bar");
  made.ariaLabel = label;
  return made;
}

export function flame(isLit: boolean): Part {
  const made = document.createElementNS(SVG, "svg");
  made.setAttribute("viewBox", "0 0 24 24");
  made.setAttribute("aria-hidden", "true");
  if (isLit) made.classList.add("lit");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", FLAME);
  made.append(path);
  return made;
}
