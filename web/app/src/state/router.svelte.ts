/** Where one is: the address, the page that shows it, and going elsewhere without loading anew. */
import { tick, type Component } from "svelte";
import { matched, ROUTES, type Params } from "../routes";

class Router {
  path = $state("/");
  query = $state.raw(new URLSearchParams());
  page = $state.raw<Component<{ params: Params }> | null>(null);
  params = $state.raw<Params>({});
  /** "missing": no such page; "failed": its files could not be fetched. */
  trouble = $state<"missing" | "failed" | null>(null);
  going = $state(false);
  private turn = 0;

  /** Begin where the browser is, and follow it. */
  start(): void {
    addEventListener("popstate", () => void this.show());
    document.addEventListener("click", (event) => this.clicked(event));
    void this.show(false);
  }

  /** Go to an address of the app. */
  async go(to: string, replace = false): Promise<void> {
    if (replace) history.replaceState(null, "", to);
    else history.pushState(null, "", to);
    await this.show();
    scrollTo(0, 0);
  }

  /** Say in the address what is looked at, and stay where one is. */
  note(query: Readonly<Record<string, string>>): void {
    this.query = new URLSearchParams(query);
    const said = this.query.toString();
    history.replaceState(null, "", said ? `${location.pathname}?${said}` : location.pathname);
  }

  private clicked(event: MouseEvent): void {
    const link = linkOf(event);
    if (!link || link.target || link.hasAttribute("download")) return;
    const to = new URL(link.href);
    const isWithin = to.pathname === location.pathname && to.hash;
    if (to.origin !== location.origin || !matched(to.pathname) || isWithin) return;
    event.preventDefault();
    void this.go(to.pathname + to.search + to.hash);
  }

  private async show(focused = true): Promise<void> {
    const turn = ++this.turn;
    const found = matched(location.pathname);
    this.going = true;
    try {
      const page = await pageOf(found?.pattern);
      if (turn !== this.turn) return;
      this.arrive(page, found?.params ?? {});
    } catch {
      if (turn === this.turn) this.trouble = "failed";
    }
    this.going = false;
    await tick();
    if (focused) document.querySelector<HTMLElement>("main")?.focus({ preventScroll: true });
  }

  private arrive(page: Component<{ params: Params }> | null, params: Params): void {
    this.trouble = page ? null : "missing";
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
    this.params = params;
    this.page = page;
  }
}

async function pageOf(pattern: string | undefined): Promise<Component<{ params: Params }> | null> {
  const load = pattern === undefined ? undefined : ROUTES[pattern];
  return load ? ((await load()).default as Component<{ params: Params }>) : null;
}

/** The link that was clicked, unless the click asks for something else than going there. */
function linkOf(event: MouseEvent): HTMLAnchorElement | null {
  const held = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  if (event.button !== 0 || held || event.defaultPrevented || !(event.target instanceof Element)) return null;
  return event.target.closest("a");
}

export const router = new Router();
