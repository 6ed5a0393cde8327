/** The outbox: what a learner did is kept on the device before it is sent, and until a server has answered for it. */
import { codeOf, NotKept, Refusal, Unreachable } from "./problems";
import { isBroken, portions, sentTo, type Answered } from "./sending";
import type { Change, EventSent, Problem, StepProgress, Verdict } from "./shapes";
import type { Item, SetAside, Settling, Store } from "./store";
import type { Ask } from "./transport";
import { backoff, LONGEST_REST_S } from "./waiting";

/** What became of an event. `waiting` is kept on the device; `not saved` is in the memory of this page alone. */
export type Outcome =
  | { kind: "recorded"; verdict: Verdict | null; step: StepProgress | null; changes: readonly Change[] }
  | { kind: "refused"; problem: Problem }
  | { kind: "waiting"; why: Why; problem: Problem | null }
  | { kind: "not saved"; reason: "full" | "unavailable" };

/** Why something waits: no network, the server asked for time, nobody is signed in, or the server said what is missing. */
export type Why = "unreachable" | "later" | "signed-out" | "locked" | "grader" | "trouble";

export interface Standing {
  /** `unknown` until the device has once said what it keeps; where it does so no more, it is told as it was then. */
  readonly state: "saved" | "saved on this device" | "not saved" | "unknown";
  readonly sending: boolean;
  readonly waiting: readonly Item[];
  /** Of those, what somebody else made who is not signed in now. */
  readonly held: readonly Item[];
  readonly refused: readonly SetAside[];
  /** Why the last try failed; null after one that did not. */
  readonly why: Why | null;
  readonly notKept: "full" | "unavailable" | null;
}

/** What was recorded just now, by this window or another. */
export interface Recorded {
  readonly steps: readonly StepProgress[];
  readonly changes: readonly Change[];
  readonly here: boolean;
}

export interface Identities {
  /** Who sends now: a learner's id, or null for nobody; as the server sees it. */
  current(): Promise<string | null>;
  /** Who that is, as was heard last. */
  known(): string | null;
  /** Who that learner became, if a guest was moved into an account. */
  became(id: string): string;
  /** What was believed of it may be wrong. */
  doubt(): void;
}

type Told = { type: "changed" } | { type: "recorded"; ids: string[]; recorded: Omit<Recorded, "here"> };

export class Outbox {
  private readonly unkept = new Map<string, { item: Item; reason: NotKept["reason"] }>();
  /** What waited when the device could be read last; null before that. */
  private seen: readonly Item[] | null = null;
  private readonly waiters = new Map<string, { event: EventSent; told: (outcome: Outcome) => void }>();
  private readonly wantVerdict = new Set<string>();
  /** How often the server broke with an event in the request. */
  private readonly broke = new Map<string, number>();
  private readonly standers = new Set<(standing: Standing) => void>();
  private readonly listeners = new Set<(recorded: Recorded) => void>();
  private draining: Promise<void> | null = null;
  private again = false;
  private failures = 0;
  private why: Why | null = null;
  private notBefore = 0;
  private tellings = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly store: Store,
    private readonly ask: Ask,
    private readonly who: Identities,
  ) {
    store.hear((message) => this.heard(message as Told));
  }

  /** Hear how things stand, now and after every change. */
  onStanding(told: (standing: Standing) => void): () => void {
    this.standers.add(told);
    void this.tellStanding();
    return () => this.standers.delete(told);
  }

  /** Hear what was recorded. */
  onRecorded(told: (recorded: Recorded) => void): () => void {
    this.listeners.add(told);
    return () => this.listeners.delete(told);
  }

  async standing(): Promise<Standing> {
    const [kept, refused] = await Promise.all([this.kept(), orNull(this.store.setAside())]);
    const lost = this.unkept.values().next().value;
    // What cannot be read is not gone.
    const waiting = [...(kept ?? this.seen ?? []), ...this.inMemory()];
    const atRest = this.seen === null ? "unknown" : "saved";
    return {
      state: lost ? "not saved" : waiting.length ? "saved on this device" : atRest,
      sending: this.draining !== null,
      waiting,
      held: waiting.filter((item) => !this.maySend(item)),
      refused: refused ?? [],
      why: this.why,
      notKept: lost?.reason ?? null,
    };
  }

  /** Keep an event, try to send it, and say what became of it. `verdict`: have the server's word on the answer. */
  async submit(event: EventSent, identity: string | null, asked: { title?: string; verdict?: boolean } = {}) {
    const item: Item = { event, identity, made_at: new Date().toISOString(), title: asked.title };
    if (asked.verdict) this.wantVerdict.add(event.id);
    const outcome = new Promise<Outcome>((told) => this.waiters.set(event.id, { event, told }));
    try {
      await this.store.add(item);
      this.seen &&= [...this.seen, item];
    } catch (error) {
      if (!(error instanceof NotKept)) throw error;
      this.unkept.set(event.id, { item, reason: error.reason });
    }
    this.changed();
    void this.drain().then(() => this.stopWaiting(event.id));
    return outcome;
  }

  /** Send what was left from before, if anything was: most begin with nothing, and then no lock is asked for. */
  async begin(): Promise<void> {
    const left = await this.store.items().catch(() => null);
    if (left === null || left.length) await this.drain();
  }

  /** Send what waits. `now` does so even where the server asked for time. */
  drain(now = false): Promise<void> {
    if (this.draining) {
      this.again = true;
      return this.draining;
    }
    if (!now && this.isAskedToRest()) return Promise.resolve();
    this.draining = this.passes().finally(() => {
      this.draining = null;
      this.changed();
    });
    return this.draining;
  }

  /** Whether the server's Retry-After still runs; one that ends too far ahead is from before the clock was set back. */
  private isAskedToRest(): boolean {
    const left = this.notBefore - Date.now();
    return left > 0 && left <= LONGEST_REST_S * 1000;
  }

  /** Send what others made who are not here as whoever is: somebody decided that it is theirs. */
  async adopt(items: readonly Item[]): Promise<void> {
    await this.handOver(items, null);
    await this.drain(true);
  }

  /** Have all that a learner made who is gone be the heir's, or whoever's is here next. NotKept, and then it stays theirs. */
  async release(learner: string, heir: string | null): Promise<void> {
    if (this.who.became(learner) !== learner) return;
    const all = [...(await this.store.items()), ...this.inMemory()];
    await this.handOver(
      all.filter((item) => item.identity === learner),
      heir,
    );
  }

  private async handOver(items: readonly Item[], identity: string | null): Promise<void> {
    const waiting = items.map((item) => ({ ...item, identity }));
    const kept = waiting.filter((item) => !this.unkept.has(item.event.id));
    if (kept.length) await this.store.settle({ gone: [], aside: [], waiting: kept });
    this.changeUnkept(waiting);
  }

  private changeUnkept(items: readonly Item[]): void {
    for (const item of items) {
      const lost = this.unkept.get(item.event.id);
      if (lost) this.unkept.set(item.event.id, { ...lost, item });
    }
  }

  /** Take what was refused off the list: it was seen. */
  async forget(ids: readonly string[]): Promise<void> {
    await this.store.forget(ids);
    this.changed();
  }

  private async passes(): Promise<void> {
    clearTimeout(this.timer);
    try {
      do {
        this.again = false;
        let recorded: number;
        // What opens a lock may have been recorded in this pass: then what was locked is worth another try.
        do recorded = await this.store.alone(() => this.pass());
        while (recorded > 0 && (await this.lockedOnes()) > 0);
        this.failures = 0;
        const kept = await this.kept();
        this.why = kept === null ? "trouble" : null;
        // What cannot be read now may be later.
        if (kept === null || [...kept, ...this.inMemory()].some((item) => item.waits_for)) this.later(backoff(8));
        // What came while the last was looked at is sent now: nothing else would remind of it.
      } while (this.again);
    } catch (error) {
      this.failed(error);
    }
  }

  /** One way through all that may be sent; the number of events that were recorded. */
  private async pass(): Promise<number> {
    const queue = await this.queue();
    if (!queue.length) return 0;
    // The author of an event from this page is here. Who made one that was left from before may be gone: ask.
    if (queue.some((item) => !this.waiters.has(item.event.id) && this.maySend(item))) this.who.doubt();
    await this.who.current();
    let recorded = 0;
    for (const portion of portions(
      queue.filter((item) => this.maySend(item)),
      this.wantVerdict,
      this.broke,
    )) {
      const answered = await this.sent(portion);
      // The first event of an unknown caller makes a guest.
      if (this.who.known() === null) this.who.doubt();
      recorded += await this.settled(answered);
    }
    return recorded;
  }

  private async sent(portion: readonly Item[]): Promise<Answered[]> {
    try {
      return await sentTo(this.ask, portion, this.wantVerdict);
    } catch (error) {
      // One of its events may be what breaks the server: `portions` sends these last, in ever smaller portions.
      if (isBroken(error))
        for (const { event } of portion) this.broke.set(event.id, (this.broke.get(event.id) ?? 0) + 1);
      throw error;
    }
  }

  private async settled(answered: readonly Answered[]): Promise<number> {
    const at = new Date().toISOString();
    const settling: Settling = {
      gone: answered.filter((one) => one.kind === "recorded").map((one) => one.item.event.id),
      aside: answered.flatMap((one) =>
        one.kind === "refused" && !waits(one.problem) ? { item: one.item, problem: one.problem, at } : [],
      ),
      waiting: answered.flatMap((one) =>
        one.kind === "refused" && waits(one.problem) ? { ...one.item, waits_for: one.problem } : [],
      ),
    };
    const failure = await this.store.settle(settling).then(
      () => null,
      (error: unknown) => ({ error }),
    );
    // An event that is only in memory needs no settling: its author is told at once.
    const settled = failure ? answered.filter((one) => this.unkept.has(one.item.event.id)) : answered;
    this.changeUnkept(settling.waiting);
    this.over(settled.filter((one) => !settling.waiting.some(({ event }) => event.id === one.item.event.id)));
    this.tellOf(settled);
    // An event that is still on the device is sent again, and the server counts it once.
    if (failure && (settled.length < answered.length || !(failure.error instanceof NotKept))) throw failure.error;
    return settling.gone.length;
  }

  /** Forget these events: the server has answered for them. */
  private over(answered: readonly Answered[]): void {
    const ids = new Set(answered.map((one) => one.item.event.id));
    for (const id of ids) {
      this.unkept.delete(id);
      this.broke.delete(id);
    }
    this.forgetSeen(ids);
  }

  private forgetSeen(ids: ReadonlySet<string>): void {
    this.seen &&= this.seen.filter((item) => !ids.has(item.event.id));
  }

  private tellOf(answered: readonly Answered[]): void {
    const steps = new Map<string, StepProgress>();
    const changes = new Set<Change>();
    for (const one of answered) {
      if (one.kind !== "recorded") continue;
      if (one.step) steps.set(`${one.step.course}/${one.step.step}`, one.step);
      for (const change of one.changes) changes.add(change);
    }
    for (const one of answered) this.resolve(one.item.event.id, outcomeOf(one));
    const recorded = { steps: [...steps.values()], changes: [...changes] };
    const ids = answered.filter((one) => one.kind === "recorded").map((one) => one.item.event.id);
    this.store.tell({ type: "recorded", ids, recorded } satisfies Told);
    if (ids.length) for (const listener of this.listeners) listener({ ...recorded, here: true });
    this.changed();
  }

  private heard(told: Told): void {
    if (told.type === "recorded") {
      this.forgetSeen(new Set(told.ids));
      const { steps, changes } = told.recorded;
      for (const id of told.ids) {
        const event = this.waiters.get(id)?.event;
        const step = steps.find((one) => one.course === event?.course && one.step === event.step) ?? null;
        this.resolve(id, { kind: "recorded", verdict: null, step, changes });
      }
      if (told.ids.length) for (const listener of this.listeners) listener({ ...told.recorded, here: false });
    }
    void this.tellStanding();
  }

  private maySend(item: Item): boolean {
    const known = this.who.known();
    return item.identity === null || (known !== null && this.who.became(item.identity) === known);
  }

  /** All that can be sent. What cannot be kept here is, all the same, while the page is there. */
  private async queue(): Promise<Item[]> {
    return [...((await this.kept()) ?? []), ...this.inMemory()];
  }

  /** What the device keeps; null where it does not say so any more. */
  private async kept(): Promise<readonly Item[] | null> {
    const items = await orNull(this.store.items());
    this.seen = items ?? this.seen;
    return items;
  }

  private inMemory(): Item[] {
    return [...this.unkept.values()].map((one) => one.item);
  }

  private async lockedOnes(): Promise<number> {
    const items = await this.queue();
    return items.filter((item) => item.waits_for && codeOf(item.waits_for) === "locked" && this.maySend(item)).length;
  }

  private failed(error: unknown): void {
    this.failures += 1;
    this.why = whyOf(error);
    if (error instanceof Refusal && error.status === 401) this.who.doubt();
    const asked = error instanceof Refusal || error instanceof Unreachable ? (error.retryAfter ?? 0) : 0;
    if (asked) this.notBefore = Date.now() + asked * 1000;
    this.later(Math.max(backoff(this.failures), asked * 1000));
  }

  private later(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.drain(), ms);
  }

  private resolve(id: string, outcome: Outcome): void {
    const lost = this.unkept.get(id);
    // What is kept nowhere is not said to wait: it is gone with the page.
    const isLost = lost && outcome.kind === "waiting";
    this.waiters.get(id)?.told(isLost ? { kind: "not saved", reason: lost.reason } : outcome);
    this.waiters.delete(id);
    this.wantVerdict.delete(id);
  }

  private stopWaiting(id: string): void {
    this.resolve(id, { kind: "waiting", why: this.why ?? "signed-out", problem: null });
  }

  private changed(): void {
    this.store.tell({ type: "changed" } satisfies Told);
    void this.tellStanding();
  }

  private async tellStanding(): Promise<void> {
    const telling = ++this.tellings;
    const standing = await this.standing();
    // The device may answer an earlier question later.
    if (telling !== this.tellings) return;
    for (const stander of this.standers) stander(standing);
  }
}

/** What a device keeps, or null where it cannot be read any more. */
async function orNull<T>(kept: Promise<T>): Promise<T | null> {
  return kept.catch((error: unknown) => {
    if (error instanceof NotKept) return null;
    throw error;
  });
}

/** Whether an event that was refused with this is kept and tried again: all others are set aside. */
function waits(problem: Problem): boolean {
  return codeOf(problem) === "locked" || problem.status >= 500;
}

function outcomeOf(one: Answered): Outcome {
  if (one.kind === "recorded") return { kind: "recorded", verdict: one.verdict, step: one.step, changes: one.changes };
  if (!waits(one.problem)) return { kind: "refused", problem: one.problem };
  return { kind: "waiting", why: codeOf(one.problem) === "locked" ? "locked" : "grader", problem: one.problem };
}

function whyOf(error: unknown): Why {
  if (error instanceof Unreachable) return "unreachable";
  if (!(error instanceof Refusal)) return "trouble";
  if (error.status === 401) return "signed-out";
  return error.passes ? "later" : "trouble";
}
