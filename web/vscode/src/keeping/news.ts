/** What windows tell one another: a short-lived file for each message, in a folder that all of them watch. */
import { randomUUID } from "node:crypto";
import { watch, type FSWatcher } from "node:fs";
import { join } from "node:path";
import { get, names, put, remove } from "./writing";

const LIVES_MS = 60_000;
/** How often to look in the folder: some file systems report no changes. */
const LOOK_MS = 5_000;

export class News {
  private readonly listeners = new Set<(message: unknown) => void>();
  /** How the names of this window's messages end: it does not hear itself. */
  private readonly own = `.${randomUUID().slice(0, 8)}.json`;
  private heard: ReadonlySet<string> = new Set();
  private readonly since = Date.now();
  private watcher: FSWatcher | null = null;
  private timer: ReturnType<typeof setInterval> | null = null;
  private count = 0;
  private looking: Promise<void> | null = null;
  private again = false;

  constructor(private readonly folder: string) {}

  begin(): void {
    this.timer = setInterval(() => this.look(), LOOK_MS);
    this.timer.unref();
    try {
      this.watcher = watch(this.folder, { persistent: false }, () => this.look());
      this.watcher.on("error", () => this.watcher?.close());
    } catch {
      this.watcher = null;
    }
  }

  end(): void {
    this.watcher?.close();
    if (this.timer) clearInterval(this.timer);
  }

  /** Tell the others. It makes them quicker; nothing depends on it. */
  tell(message: unknown): void {
    const place = `${Date.now().toString().padStart(15, "0")}-${(this.count++).toString().padStart(6, "0")}`;
    void put(join(this.folder, `${place}${this.own}`), message, false).catch(() => undefined);
  }

  hear(heard: (message: unknown) => void): () => void {
    this.listeners.add(heard);
    return () => this.listeners.delete(heard);
  }

  private look(): void {
    this.again = true;
    this.looking ??= this.read().finally(() => (this.looking = null));
  }

  private async read(): Promise<void> {
    while (this.again) {
      this.again = false;
      const there = await names(this.folder).catch(() => null);
      if (there === null) continue;
      const before = this.heard;
      // Names that are gone are forgotten: any window may remove a message.
      this.heard = new Set(there);
      for (const name of there) await this.one(name, before.has(name));
    }
  }

  private async one(name: string, wasHeard: boolean): Promise<void> {
    const at = Number(name.slice(0, 15));
    const path = join(this.folder, name);
    if (Date.now() - at > LIVES_MS) return remove([path]).catch(() => undefined);
    if (wasHeard || name.endsWith(this.own) || at < this.since - 1_000) return;
    const message = await get<unknown>(path).catch(() => null);
    if (message !== null) for (const listener of this.listeners) listener(message);
  }
}
