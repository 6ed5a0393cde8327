/** What there is where nothing can be kept: it says so at every write, and the outbox says so to people. */
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
