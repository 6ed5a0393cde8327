/** Something that is read from the server: loading, there, from before, refused or out of reach. */
import { Refusal, Unreachable } from "@headway/sdk";
import { untrack } from "svelte";
import { waited } from "./quiet";
import { session } from "./session.svelte";

export type Trouble = "unreachable" | "missing" | "forbidden" | "refused";

export class Reading<T> {
  value = $state.raw<T | null>(null);
  /** When it was read, where that was not just now. */
  from = $state.raw<Date | null>(null);
  trouble = $state<Trouble | null>(null);
  detail = $state("");
  /** Whether `value` is the answer to an earlier path, shown until this one is answered. */
  isOld = $state(false);
  protected path: string | null = null;
  private turn = 0;
  /** Whose answer is there. */
  private of: string | null = null;

  async load(path: string | null, signal?: AbortSignal): Promise<void> {
    const turn = ++this.turn;
    if (path !== this.path) {
      this.path = path;
      this.trouble = null;
      this.moved();
    }
    if (path === null) return;
    const over = waited();
    const learner = session.me.learner?.id ?? null;
    try {
      const take = await this.ask(path, signal);
      if (turn !== this.turn) return;
      take();
      this.of = learner;
    } catch (error) {
      if (turn === this.turn && !signal?.aborted) this.fail(error);
    } finally {
      over();
    }
  }

  /** Ask. Calling the result stores all that came, at once. */
  protected async ask(path: string, signal?: AbortSignal): Promise<() => void> {
    const read = await session.headway.read<T>(path, signal);
    return () => {
      this.value = read.value;
      this.from = read.stale ? read.at : null;
      this.trouble = null;
    };
  }

  /** The path has changed: `value` is the answer to another one. */
  protected moved(): void {
    this.clear();
  }

  protected clear(): void {
    this.value = null;
  }

  again = (): void => {
    this.trouble = null;
    void this.load(this.path);
  };

  private fail(error: unknown): void {
    this.detail = error instanceof Error ? error.message : "";
    this.trouble = troubleOf(error);
    // Who was nobody may be a guest by now, and is the same person.
    const isOthers = this.of !== null && this.of !== session.me.learner?.id;
    if (this.trouble !== "unreachable" || this.isOld || isOthers) this.clear();
  }
}

function troubleOf(error: unknown): Trouble {
  if (error instanceof Unreachable) return "unreachable";
  if (!(error instanceof Refusal)) throw error;
  if (error.status === 404 || error.status === 405) return "missing";
  if (error.status === 401 || error.status === 403) return "forbidden";
  return error.passes ? "unreachable" : "refused";
}

/** Read a path of the API, and again whenever what was read may be old. Null reads nothing. */
export function reading<T>(path: () => string | null): Reading<T> {
  return followed(new Reading<T>(), path);
}

function followed<Of extends Reading<unknown>>(found: Of, path: () => string | null): Of {
  $effect(() => {
    const to = path();
    void session.epoch;
    const ended = new AbortController();
    // Loading looks at the value that is there: a change of that is no reason to load again.
    untrack(() => void found.load(to, ended.signal));
    return () => ended.abort();
  });
  return found;
}

interface Page {
  readonly items: readonly unknown[];
  readonly next_cursor?: string | null;
}

/** How many a page holds at most. */
const PAGE_MAX = 200;

/** A list that is read to its end: `value` is its first page, with the items of all of them. */
class Whole<P extends Page> extends Reading<P> {
  protected override async ask(path: string, signal?: AbortSignal): Promise<() => void> {
    const asked = sized(path, PAGE_MAX);
    const first = await session.headway.read<P>(asked, signal);
    const items = [...first.value.items];
    let from = first.stale ? first.at : null;
    let next = first.value.next_cursor;
    while (next) {
      const { value, at, stale } = await session.headway.read<P>(withQuery(asked, "cursor", next), signal);
      items.push(...value.items);
      if (stale && (from === null || at < from)) from = at;
      next = value.next_cursor;
    }
    return () => {
      this.value = { ...first.value, items, next_cursor: null };
      this.from = from;
      this.trouble = null;
    };
  }
}

/** How many the first page holds, and each one behind it; whether a list stays until another one takes its place. */
interface Paging {
  readonly first: number;
  readonly behind: number;
  readonly stays: boolean;
}

/** A list that is read page by page: `value` is the first one, with what else it says; `items` are all. */
export class Pages<P extends Page> extends Reading<P> {
  busy = $state(false);
  failed = $state(false);
  private behind = $state.raw<readonly P[]>([]);
  private readonly last = $derived(this.behind.at(-1) ?? this.value);
  readonly items = $derived([this.value, ...this.behind].flatMap((page) => page?.items ?? []) as P["items"]);
  readonly next = $derived(this.last?.next_cursor ?? null);

  constructor(private readonly paging?: Paging) {
    super();
  }

  /** Read one page more. */
  more = async (): Promise<void> => {
    const { path, next } = this;
    if (path === null || next === null || this.busy || this.isOld) return;
    this.busy = true;
    this.failed = false;
    try {
      const page = await this.pageBehind(path, next);
      // Meanwhile the path may have changed, or the list may have been read again.
      if (path === this.path && next === this.next) this.behind = [...this.behind, page];
    } catch (error) {
      troubleOf(error);
      this.failed = path === this.path;
    } finally {
      this.busy = false;
    }
  };

  /** As many pages as are shown: whoever scrolled down stays where they are. */
  protected override async ask(path: string, signal?: AbortSignal): Promise<() => void> {
    const asked = sized(path, this.paging?.first);
    const { value: first, at, stale } = await session.headway.read<P>(asked, signal);
    const behind: P[] = [];
    let next = first.next_cursor;
    while (next && !this.isOld && behind.length < this.behind.length) {
      const page = await this.pageBehind(path, next, signal);
      behind.push(page);
      next = page.next_cursor;
    }
    return () => {
      this.value = first;
      this.behind = behind;
      this.from = stale ? at : null;
      this.trouble = null;
      this.failed = false;
      this.isOld = false;
    };
  }

  private async pageBehind(path: string, cursor: string, signal?: AbortSignal): Promise<P> {
    const asked = withQuery(sized(path, this.paging?.behind), "cursor", cursor);
    return (await session.headway.read<P>(asked, signal)).value;
  }

  protected override moved(): void {
    if (this.paging?.stays && this.value !== null) this.isOld = true;
    else super.moved();
  }

  protected override clear(): void {
    super.clear();
    this.behind = [];
    this.failed = false;
    this.isOld = false;
  }
}

function sized(path: string, size: number | undefined): string {
  return size === undefined ? path : withQuery(path, "limit", String(size));
}

function withQuery(path: string, name: string, value: string): string {
  return `${path}${path.includes("?") ? "&" : "?"}${name}=${part(value)}`;
}

/** Read a list of the API to its end, and again whenever what was read may be old. */
export function whole<P extends Page>(path: () => string | null): Reading<P> {
  return followed(new Whole<P>(), path);
}

/** Read a list of the API page by page, and what was read of it again whenever that may be old. */
export function pages<P extends Page>(path: () => string | null, paging?: Paging): Pages<P> {
  return followed(new Pages<P>(paging), path);
}

/** A part of an address, as it stands in a path. */
export function part(name: string): string {
  return encodeURIComponent(name);
}
