/**
 * Makes the SDK's requests to a server that answers with the contract's examples, and tells what became of them:
 * a job as JSON comes in, what was read and how each event ended goes out.
 */
import { readFileSync, writeFileSync } from "node:fs";
import {
  Headway,
  transport,
  withUnsent,
  type Ask,
  type CourseProgress,
  type EventSent,
  type Item,
  type SetAside,
  type Shape,
  type Store,
} from "../src";

interface Job {
  readonly url: string;
  /** Every operation with an example: how it is called, and with what. */
  readonly calls: readonly { readonly method: string; readonly path: string; readonly body?: unknown }[];
  readonly registration: Shape<"Registration">;
  readonly signIn: Shape<"SignIn">;
  /** Events that a device has kept, as the contract's example has them. */
  readonly kept: readonly EventSent[];
  readonly answer: { readonly course: string; readonly step: string; readonly response: unknown };
  /** Courses that refuse: one for each problem. */
  readonly refusing: readonly string[];
}

/** A device that keeps everything until the program ends. */
class Memory implements Store {
  private queue: Item[] = [];
  private aside: SetAside[] = [];
  private readonly notes = new Map<string, unknown>();

  add = async (item: Item) => void this.queue.push(item);
  items = async () => [...this.queue];
  setAside = async () => [...this.aside];
  settle: Store["settle"] = async ({ gone, aside, waiting }) => {
    const left = new Map(this.queue.map((item) => [item.event.id, item]));
    for (const item of waiting) left.set(item.event.id, item);
    for (const id of [...gone, ...aside.map((one) => one.item.event.id)]) left.delete(id);
    this.queue = [...left.values()];
    this.aside.push(...aside);
  };
  forget: Store["forget"] = async (ids) => {
    this.aside = this.aside.filter((one) => !ids.includes(one.item.event.id));
  };
  note = async (key: string) => this.notes.get(key);
  setNote = async (key: string, value: unknown) => void this.notes.set(key, value);
  readonly read = new Map<string, unknown>();
  private readonly listeners: ((message: unknown) => void)[] = [];
  kept = async () => null;
  keep: Store["keep"] = async (key, { value }) => void this.read.set(key, value);
  forgetKept = async () => this.read.clear();
  alone = <T>(work: () => Promise<T>) => work();
  tell = () => undefined;
  hear: Store["hear"] = (heard) => {
    this.listeners.push(heard);
    return () => undefined;
  };

  /** What another window of the device says. */
  said(message: unknown): void {
    for (const listener of this.listeners) listener(message);
  }
}

const job = JSON.parse(readFileSync(0, "utf8")) as Job;
const ask = transport(job.url);

/** What the device has of an event after a server refused it, by either way of sending it. */
async function refused(course: string) {
  const of = { course, step: "s" };
  const ends = [];
  for (const send of [(one: Headway) => one.answer(of, "b"), (one: Headway) => one.attempted(of, 1)]) {
    const store = new Memory();
    const outcome = await send(new Headway(store, ask));
    ends.push([outcome.kind, (await store.items()).length, (await store.setAside()).length]);
  }
  return ends;
}

/** Of which step it is told where another window sent the event among others. */
async function sentByAnother() {
  const store = new Memory();
  const never: Ask = () => new Promise(() => undefined);
  const told = new Headway(store, never).attempted({ course: "c", step: "own" }, 1);
  let [item] = await store.items();
  while (!item) [item] = await store.items();
  const steps = [{ course: "c", step: "other" }, item.event];
  store.said({ type: "recorded", ids: [item.event.id], recorded: { steps, changes: [] } });
  const outcome = await told;
  return outcome.kind === "recorded" ? outcome.step?.step : outcome.kind;
}

/** What is kept of what was asked for before somebody left, and answered afterwards. */
async function readAfterLeaving() {
  const store = new Memory();
  let answer: (value: unknown) => void = () => undefined;
  const late = new Promise((resolve) => (answer = resolve));
  const me = { kind: "account", learner: { id: "ada" } };
  const asked: Ask = (_, path) =>
    (path === "/progress" ? late : Promise.resolve(path === "/auth/me" ? me : null)) as never;
  const headway = new Headway(store, asked);
  await headway.start();
  const reading = headway.read("/progress");
  await headway.signOut();
  answer({ points: 7 });
  await reading;
  return [...store.read.keys()];
}

/** When a step counts as completed of which an attempt and then a completion wait. */
function completedUnsent() {
  const of = { course: "c", step: "s" };
  const items = [
    { ...of, id: "1", type: "attempted", occurred_at: "2026-03-01T10:00:00Z" },
    { ...of, id: "2", type: "completed", occurred_at: "2026-03-02T10:00:00Z" },
  ].map((event) => ({ event: event as EventSent, identity: null, made_at: event.occurred_at }));
  const progress = { course: "c", modules: [{ steps: [{ id: "s", attempts: 0, completed: false }] }] };
  return withUnsent(progress as unknown as CourseProgress, items).modules[0]?.steps[0]?.completed_at;
}

const called = [];
for (const { method, path, body } of job.calls) called.push((await ask(method, path, { body })) ?? null);

const store = new Memory();
const headway = new Headway(store, ask);
for (const event of job.kept) await store.add({ event, identity: null, made_at: event.occurred_at });
await headway.start();
const told = {
  called,
  registered: await headway.register(job.registration),
  signedIn: await headway.signIn(job.signIn),
  answered: await headway.answer(job.answer, job.answer.response, { duration_s: 12, hints: 1 }),
  attempted: await headway.attempted(job.answer, 0.85, { duration_s: 94.5 }),
  completed: await headway.completed(job.answer),
  left: await store.items(),
  refused: Object.fromEntries(
    await Promise.all(job.refusing.map(async (course) => [course, await refused(course)] as const)),
  ),
};
await headway.signOut();
Object.assign(told, {
  sentByAnother: await sentByAnother(),
  readAfterLeaving: await readAfterLeaving(),
  completedUnsent: completedUnsent(),
});
writeFileSync(1, JSON.stringify(told));
// What waits would be sent again, later and later.
process.exit(0);
