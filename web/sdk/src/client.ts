/** The client: who the caller is, reads that fall back on what was kept, and writes by way of the outbox. */
import { newId } from "./ids";
import { Outbox, type Outcome } from "./outbox";
import { Refusal, Unreachable } from "./problems";
import { verdictOn } from "./sending";
import type { EventSent, Learner, Me, Shape } from "./shapes";
import type { Store } from "./store";
import { localTime } from "./times";
import type { Ask } from "./transport";

const ME = "me";
const BECAME = "became";
const NOBODY: Me = { kind: "nobody", learner: null };
const TRUSTED_MS = 60_000;
const PATIENCE_MS = 3_000;

/** What was read: now, or with `stale` from what was kept when the server could last be asked. */
export interface Reading<T> {
  readonly value: T;
  readonly at: Date;
  readonly stale: boolean;
}

export interface StepRef {
  readonly course: string;
  readonly step: string;
  readonly title?: string;
}

/** What is told with something done: seconds spent on it, and hints that were looked at. */
export interface Doing {
  readonly duration_s?: number;
  readonly hints?: number;
  readonly score?: number;
}

export type SignedIn = Shape<"SignedIn">;

export class Headway {
  readonly outbox: Outbox;
  private known: Me = NOBODY;
  private knownAt = 0;
  private doubts = 0;
  private became: Record<string, string> = {};
  private placed: string | null = null;
  private readonly watchers = new Set<(me: Me) => void>();

  constructor(
    readonly store: Store,
    readonly ask: Ask,
    private readonly makeId: () => string = newId,
  ) {
    this.outbox = new Outbox(store, ask, {
      current: async () => (await this.me()).learner?.id ?? null,
      known: () => this.known.learner?.id ?? null,
      became: (id) => this.becameOf(id),
      doubt: () => this.doubt(),
    });
    // The server makes a guest of an unknown caller at their first event: ask who that is.
    this.outbox.onRecorded(() => {
      if (this.known.kind === "nobody") void this.me(true).catch(() => undefined);
    });
    store.hear((message) => {
      if ((message as { type?: string }).type !== "identity") return;
      this.doubt();
      // The window that sent this message told every other window as well.
      void this.asked(false).catch(() => undefined);
    });
  }

  /** Begin with the identity that was kept last, ask the server for the current one, and then send what waits. */
  async start(): Promise<void> {
    const [became, known] = await Promise.all([this.store.note(BECAME), this.store.note(ME)]);
    this.became = (became as Record<string, string> | undefined) ?? {};
    this.known = (known as Me | undefined) ?? NOBODY;
    const asked = this.me(true).catch((error: unknown) => {
      if (!(error instanceof Unreachable || error instanceof Refusal)) throw error;
    });
    let stop!: () => void;
    // Go on as soon as the identity is known, before it is on the disk.
    const told = new Promise<unknown>((done) => (stop = this.onIdentity(done)));
    // A network that never answers must not hide what the device has.
    await Promise.race([asked, told, new Promise((done) => setTimeout(done, PATIENCE_MS))]);
    stop();
    for (const watcher of this.watchers) watcher(this.known);
    void this.outbox.begin();
  }

  /** The identity that the server told last. */
  get identity(): Me {
    return this.known;
  }

  onIdentity(told: (me: Me) => void): () => void {
    this.watchers.add(told);
    return () => this.watchers.delete(told);
  }

  /** The identity; asks the server, unless it answered within the last minute and nothing has cast doubt on that. */
  async me(again = false): Promise<Me> {
    if (again) this.doubt();
    if (Date.now() - this.knownAt < TRUSTED_MS) return this.known;
    return this.asked(true);
  }

  private async asked(tells: boolean): Promise<Me> {
    const { doubts } = this;
    const me = await this.ask<Me | undefined>("GET", "/auth/me");
    if (!isMe(me)) throw new Unreachable("the reply does not say who one is");
    // The answer may be from before a sign-in or sign-out.
    if (doubts !== this.doubts) return this.asked(tells);
    this.knownAt = Date.now();
    await this.meet(me, tells);
    void this.keepZone(me).catch(() => undefined);
    return this.known;
  }

  /** Set a guest's time zone to the device's: guests have no settings. Tried once for each guest, even if it fails. */
  private async keepZone(me: Me): Promise<void> {
    const time_zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const guest = me.kind === "guest" ? me.learner : null;
    if (!guest || !time_zone || guest.time_zone === time_zone || this.placed === guest.id) return;
    this.placed = guest.id;
    // Under the lock no window signs in meanwhile: an account's own choice of zone must not be overwritten.
    const now = await this.store.alone(async () => {
      const still = await this.ask<Me | undefined>("GET", "/auth/me");
      if (still?.kind !== "guest" || still.learner?.id !== guest.id) return still;
      return this.ask<Me | undefined>("PATCH", "/auth/me", { body: { time_zone } });
    });
    if (isMe(now) && now.learner?.id === this.known.learner?.id) await this.meet(now);
  }

  /** The known identity may be out of date: ask before the next write. */
  doubt(): void {
    this.knownAt = 0;
    this.doubts++;
  }

  private async meet(me: Me, tells = false): Promise<void> {
    const before = this.known;
    this.known = me;
    // Signing in ends the guest's cookie, and by then the server has moved the guest's events into the account.
    if (before.kind === "guest" && me.kind === "account" && before.learner && me.learner) {
      this.became = { ...this.became, [before.learner.id]: me.learner.id };
      await this.quietly(this.store.setNote(BECAME, this.became));
    }
    if (JSON.stringify(before) === JSON.stringify(me)) return;
    for (const watcher of this.watchers) watcher(me);
    // In every window, because each may have answers that it has not written yet.
    if (isGone(before, me)) await this.quietly(this.store.forgetKept());
    // The page where somebody signed in or out may tell no window, as an identity provider's does.
    if (tells) this.store.tell({ type: "identity" });
    await this.quietly(this.store.setNote(ME, me));
  }

  private becameOf(id: string): string {
    let last = id;
    for (let steps = 0; this.became[last] && this.became[last] !== last && steps < 100; steps++) {
      last = this.became[last] ?? last;
    }
    return last;
  }

  /** Read a path, or give what was read of it last where the server cannot be asked. */
  async read<T>(path: string, signal?: AbortSignal): Promise<Reading<T>> {
    const key = this.keyOf(path);
    try {
      const value = await this.ask<T>("GET", path, { signal });
      const at = new Date();
      // After a sign-out nothing more is kept of the learner who asked.
      if (key === this.keyOf(path)) await this.quietly(this.store.keep(key, { value, at: at.toISOString() }));
      return { value, at, stale: false };
    } catch (error) {
      if (!(error instanceof Unreachable) && !(error instanceof Refusal && error.passes)) throw error;
      const kept = await this.store.kept(key).catch(() => null);
      if (!kept) throw error;
      return { value: kept.value as T, at: new Date(kept.at), stale: true };
    }
  }

  /** The key under which an answer is kept: the learner's id and the path. Courses are the same for everybody. */
  private keyOf(path: string): string {
    const whose = /^\/courses\b/.test(path) ? "anybody" : (this.known.learner?.id ?? "nobody");
    return `${whose} ${path}`;
  }

  /** Answer a step that the server grades. */
  async answer(of: StepRef, response: unknown, doing: Doing = {}): Promise<Outcome> {
    const event = this.event("attempted", of, { ...doing, response });
    const outcome = await this.outbox.submit(event, this.author, { title: of.title, verdict: true });
    if (outcome.kind !== "recorded" || outcome.verdict) return outcome;
    // Another window sent it in a batch, and the reply to a batch has no verdicts: ask for this one.
    const told = await verdictOn(this.ask, event).catch(() => null);
    return told ? { ...outcome, verdict: told.attempt, step: told.progress } : outcome;
  }

  /** Say how an attempt went at a step that nobody grades. */
  async attempted(of: StepRef, score: number, doing: Doing = {}): Promise<Outcome> {
    return this.outbox.submit(this.event("attempted", of, { ...doing, score }), this.author, { title: of.title });
  }

  /** Complete a step that is not graded. */
  async completed(of: StepRef, doing: Doing = {}): Promise<Outcome> {
    return this.outbox.submit(this.event("completed", of, doing), this.author, { title: of.title });
  }

  private get author(): string | null {
    return this.known.learner?.id ?? null;
  }

  private event(type: EventSent["type"], of: StepRef, more: Partial<EventSent>): EventSent {
    const occurred_at = localTime(new Date());
    return { id: this.makeId(), type, course: of.course, step: of.step, occurred_at, ...more };
  }

  async register(sent: Shape<"Registration">): Promise<SignedIn> {
    return this.entered("/auth/register", sent);
  }

  async signIn(sent: Shape<"SignIn">): Promise<SignedIn> {
    return this.entered("/auth/login", sent);
  }

  /** Sign in or register. What waits is sent before, as its author; no other window sends meanwhile. */
  private async entered(path: string, body: unknown): Promise<SignedIn> {
    await this.outbox.drain(true);
    const signedIn = await this.store.alone(() => this.ask<SignedIn>("POST", path, { body }));
    await this.changedIdentity({ kind: "account", learner: signedIn.learner });
    return signedIn;
  }

  /** Sign out. Unsent events stay on this device until their author signs in again. */
  async signOut(): Promise<void> {
    await this.outbox.drain(true);
    await this.store.alone(() => this.ask("POST", "/auth/logout"));
    await this.forgetMe();
  }

  /** Nobody is here any more. */
  async forgetMe(): Promise<void> {
    await this.changedIdentity(NOBODY);
  }

  /** Take a changed profile over. */
  async changedProfile(learner: Learner): Promise<void> {
    await this.changedIdentity({ ...this.known, learner });
  }

  private async changedIdentity(me: Me): Promise<void> {
    this.doubts++;
    this.knownAt = Date.now();
    await this.meet(me);
    this.store.tell({ type: "identity" });
    void this.outbox.drain(true);
  }

  /** Ignore a failed write of what only helps later reads. The outbox reports failures that lose events. */
  private async quietly(kept: Promise<void>): Promise<void> {
    await kept.catch(() => undefined);
  }
}

/** Whether somebody was here, and nobody is now. */
function isGone(before: Me, now: Me): boolean {
  return before.learner !== null && now.learner === null;
}

function isMe(me: Me | undefined): me is Me {
  if (me?.kind === "nobody") return me.learner === null;
  return (me?.kind === "guest" || me?.kind === "account") && typeof me.learner?.id === "string";
}
