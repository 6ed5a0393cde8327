/** The store in localStorage, for browsers that give no IndexedDB: one entry an item, so that a write is whole. */
import { NotKept } from "./problems";
import type { Item, Kept, SetAside, Settling, Store } from "./store";
import { tabChannel, tabLock } from "./tabs";

const QUEUE = "headway/queue/";
const ASIDE = "headway/aside/";
const NOTES = "headway/notes/";
const KEPT = "headway/kept/";

export class LocalStore implements Store {
  readonly alone = tabLock();
  private readonly channel = tabChannel();
  readonly tell = this.channel.tell;
  readonly hear = this.channel.hear;
  private count = 0;

  async add(item: Item): Promise<void> {
    // Times of one width sort as they were made; the count tells those of one millisecond apart.
    const place = `${Date.now().toString().padStart(15, "0")}-${(this.count++).toString().padStart(6, "0")}`;
    put(`${QUEUE}${place}/${item.event.id}`, item);
  }

  async items(): Promise<readonly Item[]> {
    return keys(QUEUE).flatMap((key) => get<Item>(key) ?? []);
  }

  async settle({ gone, aside, waiting }: Settling): Promise<void> {
    for (const one of aside) put(ASIDE + one.item.event.id, one);
    for (const item of waiting) for (const key of placeOf(item.event.id)) put(key, item);
    const over = new Set([...gone, ...aside.map((one) => one.item.event.id)]);
    for (const id of over) for (const key of placeOf(id)) localStorage.removeItem(key);
  }

  async setAside(): Promise<readonly SetAside[]> {
    const found = keys(ASIDE).flatMap((key) => get<SetAside>(key) ?? []);
    return found.sort((one, other) => one.at.localeCompare(other.at));
  }

  async forget(ids: readonly string[]): Promise<void> {
    for (const id of ids) localStorage.removeItem(ASIDE + id);
  }

  async note(key: string): Promise<unknown> {
    return get(NOTES + key) ?? undefined;
  }

  async setNote(key: string, value: unknown): Promise<void> {
    put(NOTES + key, value);
  }

  async kept(key: string): Promise<Kept | null> {
    return get<Kept>(KEPT + key);
  }

  async keep(key: string, kept: Kept): Promise<void> {
    put(KEPT + key, kept);
  }

  async forgetKept(): Promise<void> {
    for (const key of keys(KEPT)) localStorage.removeItem(key);
  }
}

function keys(prefix: string): string[] {
  const all = Array.from({ length: localStorage.length }, (_, place) => localStorage.key(place) ?? "");
  return all.filter((key) => key.startsWith(prefix)).sort();
}

function placeOf(id: string): string[] {
  return keys(QUEUE).filter((key) => key.endsWith(`/${id}`));
}

function get<T>(key: string): T | null {
  const said = localStorage.getItem(key);
  return said === null ? null : (JSON.parse(said) as T);
}

function put(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch (error) {
    throw new NotKept("full", { cause: error });
  }
}
