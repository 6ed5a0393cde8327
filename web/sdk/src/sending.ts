/** How events go to the server: many at once, halved where something about them is refused as a whole. */
import { Refusal, Unreachable } from "./problems";
import type { Change, EventSent, Problem, Shape, StepProgress, Verdict } from "./shapes";
import type { Item } from "./store";
import type { Ask } from "./transport";

const EVENTS_MAX = 500;
/** The server takes 2 MiB; what stands before it often 1 MB. */
const BYTES_MAX = 900_000;
/** A request in which something breaks the server is a fourth as large at each further try. */
const SMALLER = 4;
const ENCODER = new TextEncoder();
const SETTLED = new Set(["recorded", "duplicate"]);
/** What refuses the request as a whole, where another request with a part of it may be taken. */
const OF_THE_CONTENT = new Set([400, 413, 422]);
const OF_A_GRADER = new Set(["grader-failed", "grader-missing"]);
/** What the call for a single answer refuses of the event itself. */
const OF_THE_EVENT = new Set(["unknown-course", "unknown-step", "locked", "graded-step", "no-grader", "id-reused"]);

export type Answered =
  | { kind: "recorded"; item: Item; verdict: Verdict | null; step: StepProgress | null; changes: readonly Change[] }
  | { kind: "refused"; item: Item; problem: Problem };

type Recorded = Omit<Shape<"EventsRecorded">, "changes"> & { readonly changes: readonly Change[] };
type Attempted = Omit<Shape<"AttemptRecorded">, "changes"> & { readonly changes: readonly Change[] };

/**
 * Items in the portions in which they are sent, in their order; one whose verdict somebody waits for goes alone.
 * What `broke` the server goes last, and each time in a smaller portion, until what is at fault is by itself.
 */
export function portions(
  items: readonly Item[],
  alone: ReadonlySet<string>,
  broke: ReadonlyMap<string, number>,
): Item[][] {
  const failures = (item: Item) => broke.get(item.event.id) ?? 0;
  const goTogether = (portion: readonly Item[], item: Item) => {
    const [first = item] = portion;
    if (alone.has(item.event.id) || alone.has(first.event.id)) return false;
    return failures(first) === failures(item) && portion.length < EVENTS_MAX / SMALLER ** failures(item);
  };
  const found: Item[][] = [];
  let bytes = 0;
  for (const item of [...items].sort((one, other) => failures(one) - failures(other))) {
    const size = ENCODER.encode(JSON.stringify(item.event)).length + 1;
    const last = found.at(-1);
    if (last && bytes + size <= BYTES_MAX && goTogether(last, item)) {
      last.push(item);
      bytes += size;
    } else {
      found.push([item]);
      bytes = size;
    }
  }
  return found;
}

/** Send a portion. What is thrown concerns all of it, and nothing of it was refused. */
export async function sentTo(ask: Ask, items: readonly Item[], verdicts: ReadonlySet<string>): Promise<Answered[]> {
  const [first] = items;
  try {
    if (first && items.length === 1 && verdicts.has(first.event.id)) return [await attempted(ask, first)];
    return await recorded(ask, items);
  } catch (error) {
    if (!(error instanceof Refusal) || !isOfTheContent(error)) throw error;
    if (first && items.length === 1) return [{ kind: "refused", item: first, problem: error.problem }];
    const half = Math.ceil(items.length / 2);
    const before = await sentTo(ask, items.slice(0, half), verdicts);
    return [...before, ...(await sentTo(ask, items.slice(half), verdicts))];
  }
}

/** Whether something in the request may have broken the server, or was too large for what stands before it. */
export function isBroken(error: unknown): boolean {
  return (error instanceof Refusal && error.status === 500) || (error instanceof Unreachable && error.status === 413);
}

function isOfTheContent(error: Refusal): boolean {
  return OF_THE_CONTENT.has(error.status) || OF_A_GRADER.has(error.code) || OF_THE_EVENT.has(error.code);
}

async function recorded(ask: Ask, items: readonly Item[]): Promise<Answered[]> {
  const body = { events: items.map((item) => item.event), sent_at: new Date().toISOString() };
  const reply = await ask<Recorded | undefined>("POST", "/events", { body, keepalive: true });
  if (!isAbout(reply, items)) throw new Unreachable("the reply is about other events than were sent");
  const steps = new Map(reply.steps.map((step) => [`${step.course}/${step.step}`, step]));
  return items.map((item, place) => {
    const result = reply.results[place];
    if (result?.status === "refused" && result.problem) return { kind: "refused", item, problem: result.problem };
    const step = steps.get(`${item.event.course}/${item.event.step}`) ?? null;
    return { kind: "recorded", item, verdict: null, step, changes: reply.changes };
  });
}

/** Whether each event has its answer, in their order: without that nothing is called recorded. */
function isAbout(reply: Recorded | undefined, items: readonly Item[]): reply is Recorded {
  if (!reply || ![reply.results, reply.steps, reply.changes].every(areObjects)) return false;
  const { results } = reply;
  return (
    results.length === items.length &&
    results.every(({ id, status, problem }, place) => {
      const isAnswer = SETTLED.has(status) || (status === "refused" && typeof problem?.type === "string");
      return isAnswer && id === items[place]?.event.id;
    })
  );
}

function areObjects(list: unknown): boolean {
  return Array.isArray(list) && list.every((one) => typeof one === "object" && one !== null);
}

async function attempted(ask: Ask, item: Item): Promise<Answered> {
  const reply = await verdictOn(ask, item.event);
  return { kind: "recorded", item, verdict: reply.attempt, step: reply.progress, changes: reply.changes };
}

/** Have an answer graded and recorded; one that was recorded before gives its verdict again. */
export async function verdictOn(ask: Ask, event: EventSent): Promise<Attempted> {
  const { id, course, step, occurred_at, duration_s, hints, response } = event;
  const path = `/courses/${encodeURIComponent(course)}/steps/${encodeURIComponent(step)}/attempts`;
  const body = { id, occurred_at, answer: response, duration_s, hints, sent_at: new Date().toISOString() };
  const reply = await ask<Attempted | undefined>("POST", path, { body, keepalive: true });
  const isIt =
    reply?.result?.id === id && SETTLED.has(reply.result.status) && areObjects([reply.attempt, reply.progress]);
  if (!isIt || !areObjects(reply.changes)) throw new Unreachable("the reply is about something else than was answered");
  return reply;
}
