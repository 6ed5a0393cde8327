/** The store of a device that keeps nothing: each write of an event fails, and the outbox tells people. */
import { NotKept } from "./problems";
import type { Store } from "./store";

const refuse = async (): Promise<never> => {
  throw new NotKept("unavailable");
};
const nothing = async (): Promise<void> => undefined;

export const nowhere: Store = {
  add: refuse,
  items: async () => [],
  settle: nothing,
  setAside: async () => [],
  forget: nothing,
  note: async () => undefined,
  setNote: nothing,
  kept: async () => null,
  keep: nothing,
  forgetKept: nothing,
  alone: (work) => work(),
  tell: () => undefined,
  hear: () => () => undefined,
};
