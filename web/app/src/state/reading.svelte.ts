/** Something that is read from the server: loading, there, from before, refused or out of reach. */
import { Refusal, Unreachable } from "@headway/sdk";
import { session } from "./session.svelte";

export type Trouble = "unreachable" | "missing" | "forbidden" | "refused";

export class Reading<T> {
  value = $state.raw<T | null>(null);
  /** When it was read, where that was not just now. */
  from = $state.raw<Date | null>(null);
  trouble = $state<Trouble | null>(null);
  detail = $state("");
  private path: string | null = null;
  private turn = 0;

  async load(path: string | null, signal?: AbortSignal): Promise<void> {
    const turn = ++this.turn;
    if (path !== this.path) {
      this.value = null;
      this.path = path;
    }
    if (path === null) return;
    try {
      const read = await session.headway.read<T>(path, signal);
      if (turn !== this.turn) return;
      this.value = read.value;
      this.from = read.stale ? read.at : null;
      this.trouble = null;
    } catch (error) {
      if (turn === this.turn && !signal?.aborted) this.fail(error);
    }
  }

  again = (): void => {
    this.trouble = null;
    void this.load(this.path);
  };

  private fail(error: unknown): void {
    this.detail = error instanceof Error ? error.message : "";
    this.trouble = troubleOf(error);
    if (this.trouble !== "unreachable") this.value = null;
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
  const found = new Reading<T>();
  $effect(() => {
    const to = path();
    void session.epoch;
    const ended = new AbortController();
    void found.load(to, ended.signal);
    return () => ended.abort();
  });
  return found;
}

/** A part of an address, as it stands in a path. */
export function part(name: string): string {
  return encodeURIComponent(name);
}
