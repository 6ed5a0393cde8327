/**
 * The editor's outbox without an editor, for tests that kill it. What it does is told line by line, as it happens:
 * `meant ID` before an event is kept, `safe ID` once it is, `step NAME` of whatever changes something outside.
 */
import { randomUUID } from "node:crypto";
import { writeSync } from "node:fs";
import * as fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { NotKept, type EventSent, type Item, type Shape, type StepRef } from "@headway/sdk";
import { begin, tokenOf } from "../src/device";
import { FileStore } from "../src/keeping/store";
import { get, put } from "../src/keeping/writing";
import { checkedPath, layOut } from "../src/folder";
import { Learner } from "../src/learner";
import { resultOf, type Format } from "../src/reports";
import { Tail } from "../src/tail";
import { Tokens, type Secrets } from "../src/tokens";

/** How many files are written at a time. */
const TOGETHER = 50;

interface Job {
  readonly url: string;
  readonly folder: string;
  /** Do the same in each of these after that, as windows that come one after another. */
  readonly folders?: readonly string[];
  /** How many events are kept, of which nothing is sent before all are. */
  readonly keep?: number;
  /** Paths to read before anything is recorded, to say whether each was read `now`, `before`, or is `unknown`. */
  readonly read?: readonly string[];
  /** How many events are recorded, and where. */
  readonly events?: number;
  readonly course?: string;
  readonly step?: string;
  /** Sign in with this token, or by the device flow. */
  readonly token?: string;
  readonly device?: boolean;
  /** Sign out first: where the server does not know the guest any more, another begins. */
  readonly anew?: boolean;
  /** Die before the step of this number. */
  readonly kill_at?: number;
  /** How long to wait until nothing waits any more, in ms. */
  readonly patience?: number;
  /** Reports to read, each with its format and how the tests ended. */
  readonly judge?: readonly (readonly [Format, string, number])[];
  /** Paths of a course's files, to say which would be written. */
  readonly paths?: readonly string[];
  /** A step's files to lay out, to say which were written and which kept; of so many steps at once. */
  readonly files?: Readonly<Record<string, string>>;
  readonly steps?: number;
  /** Which of several windows this is, where each lays steps of its own out. */
  readonly window?: number;
  /** Say what is left of these parts where the last so many characters and a part are kept. */
  readonly tail?: readonly [number, readonly string[]];
  /** Hold the lock for so many ms, and do nothing else. */
  readonly hold?: number;
  /** Be so many times less patient with a server that does not answer. */
  readonly hurry?: number;
}

function tell(line: string): void {
  writeSync(1, `${line}\n`);
}

/** Secrets in a file, each window's writes one after another. */
class FileSecrets implements Secrets {
  constructor(private readonly path: string) {}

  async get(key: string): Promise<string | undefined> {
    return (await get<Record<string, string>>(this.path))?.[key];
  }

  async store(key: string, value: string): Promise<void> {
    await put(this.path, { ...(await get<Record<string, string>>(this.path)), [key]: value });
  }

  async delete(key: string): Promise<void> {
    const all = Object.entries((await get<Record<string, string>>(this.path)) ?? {});
    await put(this.path, Object.fromEntries(all.filter(([name]) => name !== key)));
  }
}

function countSteps(killAt: number | undefined): void {
  let count = 0;
  const step = (name: string) => {
    if (count++ === killAt) {
      process.kill(process.pid, "SIGKILL");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    }
    tell(`step ${name}`);
  };
  const patched = fs as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
  const real = (fs as unknown as { default?: typeof patched }).default ?? patched;
  for (const name of ["open", "rename", "unlink", "link", "rm", "writeFile"]) {
    const original = real[name] as (...given: unknown[]) => Promise<unknown>;
    real[name] = (...given) => {
      step(name);
      return original(...given);
    };
  }
  syncBuiltinESMExports();
  const fetched = globalThis.fetch;
  globalThis.fetch = async (...given) => {
    const name = given[1]?.method === "GET" ? "read" : "send";
    step(`before ${name}`);
    const reply = await fetched(...given);
    step(`after ${name}`);
    return reply;
  };
}

function hurry(times: number): void {
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (ms) => timeout(ms / times);
}

/** What `try` gives, or `refused`. */
function tried(work: () => unknown): unknown {
  try {
    return work();
  } catch {
    return "refused";
  }
}

function refusedIfFull(error: unknown): string {
  if (error instanceof NotKept) return `not kept ${error.reason}`;
  throw error;
}

async function main(job: Job): Promise<void> {
  if (job.judge || job.paths || job.tail) return judge(job);
  if (job.files) return lay(job.folder, job.files, job);
  countSteps(job.kill_at);
  if (job.hurry) hurry(job.hurry);
  for (const folder of [job.folder, ...(job.folders ?? [])]) await window({ ...job, folder });
}

async function window(job: Job): Promise<void> {
  const store = await FileStore.open(join(job.folder, "store"));
  if (job.keep) return keep(store, job.keep, placeOf(job));
  if (job.hold !== undefined) return hold(store, job.hold);
  const tokens = new Tokens(new FileSecrets(join(job.folder, "secrets.json")), store, job.url);
  const learner = new Learner(job.url, store, tokens);
  const add = store.add.bind(store);
  store.add = async (item) => {
    tell(`meant ${item.event.id}`);
    await add(item);
    tell(`safe ${item.event.id}`);
  };
  const started = Date.now();
  await learner.start();
  for (const path of job.read ?? []) tell(`read ${await howRead(learner, path)}`);
  await record(learner, job);
  if (job.device) await signIn(learner, job.url);
  if (job.token) await learner.signIn(job.token);
  if ((await untilSent(learner, job.patience ?? 0)) && job.events) await untilKnown(store);
  tell(`took ${Date.now() - started}`);
}

async function howRead(learner: Learner, path: string): Promise<string> {
  return learner.headway.read(path).then(
    ({ stale }) => (stale ? "before" : "now"),
    () => "unknown",
  );
}

function placeOf({ course = "", step = "" }: Job): StepRef {
  return { course, step };
}

/** Keep events as somebody does who is offline for long, some at a time. */
async function keep(store: FileStore, count: number, of: StepRef): Promise<void> {
  const made_at = new Date().toISOString();
  const one = (): Item => {
    const event: EventSent = { id: randomUUID(), type: "attempted", ...of, occurred_at: made_at, score: 1 };
    return { event, identity: null, made_at };
  };
  for (let kept = 0; kept < count; kept += TOGETHER) {
    await Promise.all(Array.from({ length: Math.min(TOGETHER, count - kept) }, () => store.add(one())));
  }
}

async function record(learner: Learner, job: Job): Promise<void> {
  if (job.anew) tell(`anew ${await learner.beginAnew().catch(refusedIfFull)}`);
  const of = placeOf(job);
  for (let made = 0; made < (job.events ?? 0); made++) {
    const outcome = await learner.headway.attempted(of, 0.5);
    tell(`outcome ${outcome.kind}${"reason" in outcome ? ` ${outcome.reason}` : ""}`);
  }
}

function judge(job: Job): void {
  for (const [format, said, code] of job.judge ?? []) {
    tell(`judged ${JSON.stringify(tried(() => resultOf(format, said, code)))}`);
  }
  for (const path of job.paths ?? []) tell(`path ${JSON.stringify(tried(() => checkedPath(path)))}`);
  if (job.tail) tell(`tail ${JSON.stringify(tailOf(...job.tail))}`);
}

async function lay(
  folder: string,
  files: Readonly<Record<string, string>>,
  { steps = 1, window = 0 }: Job,
): Promise<void> {
  const one = async (number: number) => {
    const step = { id: `step${number + window * steps || ""}`, files, test: null } as unknown as Shape<"StepShown">;
    const refused = { written: [], kept: ["refused"] };
    const { written, kept } = await layOut(folder, "http://127.0.0.1:1", "course", step).catch(() => refused);
    tell(`laid ${JSON.stringify([written, kept])}`);
  };
  await Promise.all(Array.from({ length: steps }, (_, number) => one(number)));
}

function tailOf(most: number, parts: readonly string[]): string {
  const tail = new Tail(most, "…");
  for (const part of parts) tail.add(part);
  return tail.text();
}

async function hold(store: FileStore, ms: number): Promise<void> {
  await store.alone(async () => {
    tell("holding");
    await new Promise((done) => setTimeout(done, ms));
  });
}

async function signIn(learner: Learner, url: string): Promise<void> {
  const waits = await begin(url, "The driver");
  tell(`code ${waits.user_code}`);
  const token = await tokenOf(url, waits, new AbortController().signal);
  if (token) tell(`merged ${JSON.stringify(await learner.signIn(token))}`);
}

/** Whether all is sent. */
async function untilSent(learner: Learner, patience: number): Promise<boolean> {
  const { outbox } = learner.headway;
  for (const until = Date.now() + patience; ;) {
    await outbox.drain(true);
    const { waiting, refused, held, why } = await outbox.standing();
    if (!waiting.length || Date.now() >= until) {
      tell(`left ${JSON.stringify({ waiting: waiting.length, refused: refused.length, held: held.length, why })}`);
      return !waiting.length;
    }
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Who had something recorded is somebody, and asks as whom behind it: no process ends before it is kept, if it can be. */
async function untilKnown(store: FileStore): Promise<void> {
  for (const until = Date.now() + 5_000; Date.now() < until;) {
    if (((await store.note("me")) as Shape<"Me"> | undefined)?.learner) return;
    await new Promise((done) => setTimeout(done, 10));
  }
}

main(JSON.parse(process.argv[2] ?? "{}") as Job).then(
  () => process.exit(0),
  (error: unknown) => {
    tell(`error ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exit(1);
  },
);
