/** What the server tells as it happens. One stream while the page is looked at; where there is none, nothing is missing. */
import type { Change, Shape } from "@headway/sdk";
import { titleOf, whatOf, type Notification } from "../words/told";
import { session } from "./session.svelte";

/** What others or the clock bring about; what one does oneself is shown where it is done. */
const TOLD = new Set(["step_graded", "step_overridden", "streak_at_risk", "certificate_revoked"]);
const GATHERED_MS = 500;
const LOOKED_AT = 20;
/** How long to wait before a refused stream is opened again: after the first refusal, and at most. */
const AGAIN_MS = 2000;
const AGAIN_MOST_MS = 60_000;

/** Follow the stream of who is here, until told to stop. */
export function follow(): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;
  let refusals = 0;
  /** Whether something may have come while no stream was open. */
  let isBehind = false;

  function open(): void {
    if (source || document.visibilityState !== "visible") return;
    source = new EventSource("/api/v1/stream");
    source.onopen = opened;
    source.onerror = refused;
    source.onmessage = (event: MessageEvent<string>) =>
      told(JSON.parse(event.data) as Notification & { change: Change });
    source.addEventListener("reset", () => session.refresh());
  }

  /** A new stream tells only what comes from now on: what came before is read. */
  function opened(): void {
    if (isBehind) session.refresh();
    isBehind = false;
    refusals = 0;
  }

  /**
   * The browser reconnects by itself after a lost connection, but never after an answer that is no stream, such as a
   * proxy's 502 while the server starts.
   */
  function refused(): void {
    if (source?.readyState !== EventSource.CLOSED) return;
    close();
    const longest = Math.min(AGAIN_MS * 2 ** ++refusals, AGAIN_MOST_MS);
    again = setTimeout(open, (longest * (1 + Math.random())) / 2);
  }

  function told(one: Notification): void {
    if (TOLD.has(one.type)) void say(one);
    clearTimeout(timer);
    timer = setTimeout(() => session.refresh(), GATHERED_MS);
  }

  function close(): void {
    isBehind = true;
    clearTimeout(again);
    source?.close();
    source = null;
  }

  const seen = () => (document.visibilityState === "visible" ? open() : close());
  open();
  document.addEventListener("visibilitychange", seen);
  return () => {
    document.removeEventListener("visibilitychange", seen);
    clearTimeout(timer);
    close();
  };
}

/** Say it with the titles that the list of notifications has; with ids where the list cannot be read. */
async function say(one: Notification): Promise<void> {
  const { person } = session;
  const list = await session.headway
    .ask<Shape<"NotificationList">>("GET", `/notifications?limit=${LOOKED_AT}`)
    .catch(() => null);
  if (person !== session.person) return;
  const named = list?.items.find((other) => other.id === one.id);
  session.say([titleOf(one), whatOf({ ...one, title: named?.title ?? null })].filter(Boolean).join(": "));
}
