/** The store in IndexedDB: what a transaction has taken survives the tab, the browser and the machine. */
import { NotKept } from "./problems";
import type { Item, Kept, SetAside, Settling, Store } from "./store";
import { tabChannel, tabLock } from "./tabs";

const NAME = "headway";
const VERSION = 1;
const KEEP_MS = 800;
/** The errors of a database that was closed, or whose connection was lost. Any other error would come again. */
const LOST = new Set(["InvalidStateError", "UnknownError", "AbortError"]);
type Table = "queue" | "aside" | "notes" | "kept";

export class IndexedStore implements Store {
  readonly alone = tabLock();
  private readonly channel = tabChannel();
  readonly tell = this.channel.tell;
  readonly hear = this.channel.hear;

  private readonly unwritten = new Map<string, Kept>();
  private opening: Promise<IDBDatabase> | null = null;
  private writing: ReturnType<typeof setTimeout> | undefined;

  private constructor(private database: IDBDatabase) {
    // A page that is hidden or left may never run again.
    addEventListener("pagehide", () => this.writeKept());
    document.addEventListener("visibilitychange", () => this.writeKept());
  }

  static async open(): Promise<IndexedStore> {
    return new IndexedStore(await opened());
  }

  async add(item: Item): Promise<void> {
    await this.write(["queue"], (of) => of("queue").add(item));
  }

  async items(): Promise<readonly Item[]> {
    return this.read<(Item & { place?: number })[]>("queue", (table) => table.getAll());
  }

  async settle({ gone, aside, waiting }: Settling): Promise<void> {
    await this.write(
      ["queue", "aside"],
      (of) => {
        const queue = of("queue");
        const replace = (id: string, item: Item | null) => {
          const found = queue.index("id").getKey(id);
          found.onsuccess = () => {
            if (found.result === undefined) return;
            if (item === null) queue.delete(found.result);
            else queue.put({ ...item, place: found.result });
          };
        };
        for (const id of gone) replace(id, null);
        for (const one of aside) {
          of("aside").put(one);
          replace(one.item.event.id, null);
        }
        for (const item of waiting) replace(item.event.id, item);
      },
      { asks: true },
    );
  }

  async setAside(): Promise<readonly SetAside[]> {
    const found = await this.read<SetAside[]>("aside", (table) => table.getAll());
    return found.sort((one, other) => one.at.localeCompare(other.at));
  }

  async forget(ids: readonly string[]): Promise<void> {
    await this.write(["aside"], (of) => ids.forEach((id) => of("aside").delete(id)));
  }

  async note(key: string): Promise<unknown> {
    return this.read("notes", (table) => table.get(key));
  }

  async setNote(key: string, value: unknown): Promise<void> {
    await this.write(["notes"], (of) => of("notes").put(value, key));
  }

  async kept(key: string): Promise<Kept | null> {
    return this.unwritten.get(key) ?? (await this.read<Kept | undefined>("kept", (table) => table.get(key))) ?? null;
  }

  async keep(key: string, kept: Kept): Promise<void> {
    this.unwritten.set(key, kept);
    // A page reads many things at once: they are written together, once it is drawn.
    this.writing ??= setTimeout(() => this.writeKept(), KEEP_MS);
  }

  /** Write what was read, for later reads without a network. That there is no room for it is no error. */
  private writeKept(): void {
    clearTimeout(this.writing);
    this.writing = undefined;
    const all = [...this.unwritten];
    this.unwritten.clear();
    if (!all.length) return;
    this.write(["kept"], (of) => all.forEach(([key, kept]) => of("kept").put(kept, key)), {
      durability: "relaxed",
    }).catch(() => undefined);
  }

  async forgetKept(): Promise<void> {
    this.unwritten.clear();
    await this.write(["kept"], (of) => of("kept").clear());
  }

  private async read<T>(table: Table, ask: (table: IDBObjectStore) => IDBRequest): Promise<T> {
    return this.within(async (database) => (await answered(ask(database.transaction(table).objectStore(table)))) as T);
  }

  private async write(
    tables: Table[],
    work: (of: (table: Table) => IDBObjectStore) => unknown,
    // "strict": on the disk before it is said to be kept. `asks`: what it writes depends on what it reads.
    { durability = "strict", asks = false }: { durability?: IDBTransactionDurability; asks?: boolean } = {},
  ): Promise<void> {
    await this.within(async (database) => {
      const transaction = database.transaction(tables, "readwrite", { durability });
      const done = completed(transaction);
      work((table) => transaction.objectStore(table));
      // Without an explicit commit the browser waits for further requests, and rolls back if the tab closes before.
      if (!asks) transaction.commit();
      await done;
    });
  }

  /** Do something in the database; once more where the browser has closed it, as when site data is cleared. */
  private async within<T>(work: (database: IDBDatabase) => Promise<T>): Promise<T> {
    const { database } = this;
    try {
      return await work(database).catch(async (error: unknown) => {
        if (!isLost(error)) throw error;
        return work(await this.insteadOf(database));
      });
    } catch (error) {
      throw notKept(error);
    }
  }

  /** The database, opened again by the first caller that finds it closed. */
  private async insteadOf(lost: IDBDatabase): Promise<IDBDatabase> {
    if (this.database !== lost) return this.database;
    // Otherwise every connection would stay open.
    lost.close();
    this.opening ??= opened().finally(() => (this.opening = null));
    this.database = await this.opening;
    return this.database;
  }
}

async function opened(): Promise<IDBDatabase> {
  const asked = indexedDB.open(NAME, VERSION);
  asked.onupgradeneeded = () => {
    const made = asked.result;
    made.createObjectStore("queue", { keyPath: "place", autoIncrement: true }).createIndex("id", "event.id", {
      unique: true,
    });
    made.createObjectStore("aside", { keyPath: "item.event.id" });
    made.createObjectStore("notes");
    made.createObjectStore("kept");
  };
  const database = await answered(asked);
  // A tab with a newer version of the database waits until all older connections are closed.
  database.onversionchange = () => database.close();
  return database;
}

function answered<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new DOMException("the browser gives no reason", "UnknownError"));
  });
}

function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () =>
      reject(transaction.error ?? new DOMException("the browser gives no reason", "UnknownError"));
  });
}

function notKept(error: unknown): NotKept {
  return new NotKept(isFull(error) ? "full" : "unavailable", { cause: error });
}

function isLost(error: unknown): boolean {
  return error instanceof DOMException && LOST.has(error.name);
}

function isFull(error: unknown): boolean {
  return error instanceof DOMException && error.name === "QuotaExceededError";
}
