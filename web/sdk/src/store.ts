/** What a device has to keep, and how: the browser has two ways to do it, the editor brings its own. */
import type { EventSent, Problem } from "./shapes";

/** An event that no server has answered for yet. */
export interface Item {
  readonly event: EventSent;
  /** Who made it: a learner's id, or null for somebody whom no server knew yet. */
  readonly identity: string | null;
  readonly made_at: string;
  /** What the step is called, for lists that people read. */
  readonly title?: string;
  /** Why it still waits, where the server said so: `locked`, or a grader that fails. */
  readonly waits_for?: Problem;
}

/** An event that a server refused for good. It stays in a list until somebody has seen it. */
export interface SetAside {
  readonly item: Item;
  readonly problem: Problem;
  readonly at: string;
}

/** What becomes of items at once: in a single step, so that no crash loses or doubles any. */
export interface Settling {
  readonly gone: readonly string[];
  readonly aside: readonly SetAside[];
  readonly waiting: readonly Item[];
}

/** What was read from the server last, for when it cannot be asked. */
export interface Kept {
  readonly value: unknown;
  readonly at: string;
}

/** Every promise is kept when it resolves: what was added is there after a crash. NotKept where that cannot be. */
export interface Store {
  add(item: Item): Promise<void>;
  /** The items in the order in which they were added. */
  items(): Promise<readonly Item[]>;
  settle(settling: Settling): Promise<void>;
  setAside(): Promise<readonly SetAside[]>;
  forget(ids: readonly string[]): Promise<void>;

  note(key: string): Promise<unknown>;
  setNote(key: string, value: unknown): Promise<void>;
  kept(key: string): Promise<Kept | null>;
  /** Of this alone the promise is that `kept` finds it from now on: it can be read again, and may be written later. */
  keep(key: string, kept: Kept): Promise<void>;
  forgetKept(): Promise<void>;

  /** Do something that no other window or process does at the same time. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  /** Tell the other windows, and hear what they tell. */
  tell(message: unknown): void;
  hear(heard: (message: unknown) => void): () => void;
}
