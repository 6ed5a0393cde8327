/**
 * The outbox in files: one for each event, named by when it was made, so that no window writes to another's.
 * A changed item is a new file of the next revision beside it; what is set aside counts from when its file is there.
 */
import { createHash, randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import type { Item, Kept, SetAside, Settling, Store } from "@headway/sdk";
import { Lock } from "./lock";
import { News } from "./news";
import { get, names, notKept, put, remove, someAtATime, sweep, synced } from "./writing";

const FOLDERS = ["queue", "aside", "notes", "kept", "news"] as const;
const KEPT_MAX = 400;

/** A name of the queue: the place in it, the revision, the event's id. */
interface Named {
  readonly name: string;
  readonly place: string;
  readonly revision: number;
  readonly id: string;
}

export class FileStore implements Store {
  private readonly lock: Lock;
  private readonly news: News;
  private readonly read = new Map<string, Promise<Item | null>>();
  private readonly window = randomBytes(3).toString("hex");
  private count = 0;

  private constructor(private readonly folder: string) {
    this.lock = new Lock(join(folder, "lock"));
    this.news = new News(join(folder, "news"));
  }

  /** The store in a folder, which is made. NotKept. */
  static async open(folder: string): Promise<FileStore> {
    try {
      for (const name of FOLDERS) await fs.mkdir(join(folder, name), { recursive: true, mode: 0o700 });
      await synced(folder);
      for (const name of ["", ...FOLDERS]) await sweep(join(folder, name));
    } catch (error) {
      throw notKept(error);
    }
    const store = new FileStore(folder);
    store.news.begin();
    return store;
  }

  close(): void {
    this.news.end();
  }

  async add(item: Item): Promise<void> {
    const time = Date.now().toString().padStart(15, "0");
    const place = `${time}-${(this.count++).toString().padStart(6, "0")}-${this.window}`;
    await put(this.path("queue", nameOf(place, 0, item.event.id)), item);
  }

  async items(): Promise<readonly Item[]> {
    const [queued, aside] = await Promise.all([this.queued(), names(this.path("aside"))]);
    const over = new Set(aside);
    const left = queued.filter((one) => !over.has(`${one.id}.json`));
    const found = await someAtATime(left, (one) => this.itemOf(one.name));
    this.forgetOthers(new Set(queued.map((one) => one.name)));
    return found.filter((item) => item !== null);
  }

  async settle(settling: Settling): Promise<void> {
    // Whoever sends holds the lock already.
    if (this.lock.held) await this.settled(settling);
    else await this.lock.alone(() => this.settled(settling));
  }

  private async settled({ gone, aside, waiting }: Settling): Promise<void> {
    for (const one of aside) await put(this.path("aside", `${one.item.event.id}.json`), one);
    const of = new Map(waiting.length ? (await this.queued()).map((one) => [one.id, one]) : []);
    for (const item of waiting) {
      const found = of.get(item.event.id);
      // An item that another window has removed meanwhile must not come back.
      if (!found) continue;
      await put(this.path("queue", nameOf(found.place, found.revision + 1, found.id)), item);
      await remove([this.path("queue", found.name)]);
    }
    const over = [...gone, ...aside.map((one) => one.item.event.id)];
    if (over.length) await this.removeAll(new Set(over));
  }

  async setAside(): Promise<readonly SetAside[]> {
    const found = await Promise.all(
      (await names(this.path("aside"))).map((name) => get<SetAside>(this.path("aside", name))),
    );
    return found.filter((one) => one !== null).sort((one, other) => one.at.localeCompare(other.at));
  }

  async forget(ids: readonly string[]): Promise<void> {
    // First the queue's: an item that a crash left in both would be sent again.
    await this.removeAll(new Set(ids));
    await remove(ids.map((id) => this.path("aside", `${id}.json`)));
  }

  async note(key: string): Promise<unknown> {
    return (await get<{ value: unknown }>(this.path("notes", hashed(key))))?.value;
  }

  async setNote(key: string, value: unknown): Promise<void> {
    await put(this.path("notes", hashed(key)), { key, value });
  }

  async kept(key: string): Promise<Kept | null> {
    return (await get<{ kept: Kept }>(this.path("kept", hashed(key))))?.kept ?? null;
  }

  async keep(key: string, kept: Kept): Promise<void> {
    await put(this.path("kept", hashed(key)), { key, kept }, false);
    const all = await names(this.path("kept"));
    if (all.length > KEPT_MAX) await this.keepLatest(all);
  }

  async forgetKept(): Promise<void> {
    await remove((await names(this.path("kept"))).map((name) => this.path("kept", name)));
  }

  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.lock.alone(work);
  }

  tell(message: unknown): void {
    this.news.tell(message);
  }

  hear(heard: (message: unknown) => void): () => void {
    return this.news.hear(heard);
  }

  private path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  /** What is in the queue, in order: of an item that is there twice the later revision. */
  private async queued(): Promise<Named[]> {
    return latestOf(await names(this.path("queue"))).sort((one, other) => (one.place < other.place ? -1 : 1));
  }

  /** A file never changes under its name: it is read once, whoever asks meanwhile. */
  private itemOf(name: string): Promise<Item | null> {
    const known = this.read.get(name);
    if (known) return known;
    const asked = get<Item>(this.path("queue", name));
    this.read.set(name, asked);
    // What could not be read now may be the next time.
    asked.catch(() => this.read.delete(name));
    return asked;
  }

  private forgetOthers(there: ReadonlySet<string>): void {
    for (const name of this.read.keys()) if (!there.has(name)) this.read.delete(name);
  }

  private async removeAll(ids: ReadonlySet<string>): Promise<void> {
    const all = (await names(this.path("queue"))).filter((name) => ids.has(named(name)?.id ?? ""));
    // Earlier revisions first: the last one stands for the item until it is gone.
    const last = new Set(latestOf(all).map((one) => one.name));
    await remove(all.filter((name) => !last.has(name)).map((name) => this.path("queue", name)));
    await remove([...last].map((name) => this.path("queue", name)));
  }

  private async keepLatest(all: readonly string[]): Promise<void> {
    const dated = await Promise.all(
      all.map(async (name) => ({ name, at: (await fs.stat(this.path("kept", name)).catch(() => null))?.mtimeMs ?? 0 })),
    );
    const old = dated.sort((one, other) => one.at - other.at).slice(0, KEPT_MAX / 4);
    await remove(old.map((one) => this.path("kept", one.name)));
  }
}

/** Of each item the name with the latest revision. */
function latestOf(all: readonly string[]): Named[] {
  const latest = new Map<string, Named>();
  for (const name of all) {
    const one = named(name);
    if (one && (latest.get(one.id)?.revision ?? -1) < one.revision) latest.set(one.id, one);
  }
  return [...latest.values()];
}

function nameOf(place: string, revision: number, id: string): string {
  return `${place}.${revision.toString().padStart(6, "0")}.${id}.json`;
}

function named(name: string): Named | null {
  const [place, revision, id] = name.split(".");
  if (!place || !revision || !id) return null;
  return { name, place, revision: Number(revision), id };
}

function hashed(key: string): string {
  return `${createHash("sha256").update(key).digest("hex").slice(0, 40)}.json`;
}
