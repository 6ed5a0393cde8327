/** How events go to the server: many at once, halved where something about them is refused as a whole. */
import { Refusal } from "./problems";
import type { Change, EventSent, Problem, Shape, StepProgress, Verdict } from "./shapes";
import type { Item } from "./store";
import type { Ask } from "./transport";

const EVENTS_MAX = 100;
const BYTES_MAX = 1_000_000;
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

/** Items in the portions in which they are sent, in their order; one whose verdict somebody waits for goes alone. */
export function portions(items: readonly Item[], alone: ReadonlySet<string>): Item[][] {
  const found: Item[][] = [];
  let bytes = 0;
  for (const item of items) {
    const size = JSON.stringify(item.event).length;
    const last = found.at(-1);
    const isAlone = alone.has(item.event.id);
    const fits = last && !isAlone && !alone.has(last[0]?.event.id ?? "") && last.length < EVENTS_MAX;
    if (fits && bytes + size <= BYTES_MAX) {
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

function isOfTheContent(error: Refusal): boolean {
  return OF_THE_CONTENT.has(error.status) || OF_A_GRADER.has(error.code) || OF_THE_EVENT.has(error.code);
}

async function recorded(ask: Ask, items: readonly Item[]): Promise<Answered[]> {
  const body = { events: items.map((item) => item.event), sent_at: new Date().toISOString() };
  const reply = await ask<Recorded>("POST", "/events", { body, keepalive: true });
  const steps = new Map(reply.steps.map((step) => [`${step.course}/${step.step}`, step]));
  return items.map((item, place) => {
    const result = reply.results[place];
    if (result?.status === "refused" && result.problem) return { kind: "refused", item, problem: result.problem };
    const step = steps.get(`${item.event.course}/${item.event.step}`) ?? null;
    return { kind: "recorded", item, verdict: null, step, changes: reply.changes };
  });
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
  return ask<Attempted>("POST", path, { body, keepalive: true });
}
