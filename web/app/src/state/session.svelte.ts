/** Who is here, how what they do stands with the server, and what they are told of it. */
import type { Change, Headway, Me, Outcome, Recorded, Standing } from "@headway/sdk";
import { askToKeep, inBrowser } from "@headway/sdk/browser";
import { t } from "../words/en";
import { waited } from "./quiet";

export interface Toast {
  readonly id: number;
  readonly tone: "good" | "plain" | "wrong";
  readonly text: string;
}

const NOBODY: Me = { kind: "nobody", learner: null };
const AT_REST: Standing = {
  state: "unknown",
  sending: false,
  waiting: [],
  held: [],
  refused: [],
  why: null,
  notKept: null,
};
const TOLD_MS = 7000;

class Session {
  ready = $state(false);
  me = $state.raw<Me>(NOBODY);
  /** Grows when an account takes the place of another one: nothing that was typed or shown before is theirs. */
  person = $state(0);
  standing = $state.raw<Standing>(AT_REST);
  /** Grows with each event after which earlier reads may be out of date. */
  epoch = $state(0);
  online = $state(navigator.onLine);
  toasts = $state.raw<readonly Toast[]>([]);
  celebrated = $state.raw<readonly Change[]>([]);
  private client: Headway | null = null;
  private account: string | null = null;
  private toastId = 0;

  get headway(): Headway {
    if (!this.client) throw new Error("the session has not begun");
    return this.client;
  }

  get zone(): string | undefined {
    return this.me.learner?.time_zone ?? undefined;
  }

  get isDemo(): boolean {
    return "demo" in document.documentElement.dataset;
  }

  async start(): Promise<void> {
    const over = waited();
    const headway = await inBrowser();
    this.client = headway;
    this.meet(headway.identity);
    headway.onIdentity((me) => {
      this.meet(me);
      this.epoch++;
    });
    this.standing = await headway.outbox.standing();
    headway.outbox.onStanding((standing) => this.stands(standing));
    headway.outbox.onRecorded((recorded) => this.recorded(recorded));
    addEventListener("online", () => this.connected(true));
    addEventListener("offline", () => this.connected(false));
    addEventListener("beforeunload", (event) => {
      if (this.standing.state === "not saved") event.preventDefault();
    });
    this.ready = true;
    over();
  }

  /** A sign-in that ended, and the guest before it, leave what is typed alone: the same person may go on. */
  private meet(me: Me): void {
    this.me = me;
    const account = me.kind === "account" ? (me.learner?.id ?? null) : null;
    if (account === null || account === this.account) return;
    if (this.account !== null) {
      this.person++;
      this.toasts = [];
      this.celebrated = [];
    }
    this.account = account;
  }

  /** An equal standing is not set again: all that shows it would be drawn anew. */
  private stands(standing: Standing): void {
    if (JSON.stringify(standing) !== JSON.stringify(this.standing)) this.standing = standing;
  }

  /** Tell something that goes away by itself. */
  say(text: string, tone: Toast["tone"] = "plain"): void {
    const toast = { id: this.toastId++, tone, text };
    this.toasts = [...this.toasts.slice(-2), toast];
    setTimeout(() => (this.toasts = this.toasts.filter((one) => one !== toast)), TOLD_MS);
  }

  /** After something was done: ask the browser to keep what waits, and tell what must be known. */
  did(outcome: Outcome): void {
    void askToKeep();
    if (outcome.kind === "not saved") this.say(t.save.lost[outcome.reason], "wrong");
  }

  refresh(): void {
    this.epoch++;
  }

  private connected(online: boolean): void {
    this.online = online;
    if (online) this.epoch++;
  }

  private recorded(recorded: Recorded): void {
    this.epoch++;
    const told = recorded.changes.filter((change) => CELEBRATED.has(change.type));
    if (told.length && document.visibilityState === "visible") this.celebrated = told;
  }
}

const CELEBRATED = new Set([
  "module_completed",
  "course_completed",
  "certificate_issued",
  "achievement_unlocked",
  "streak_milestone",
]);

export const session = new Session();
