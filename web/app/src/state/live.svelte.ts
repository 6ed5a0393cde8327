/** What the server tells as it happens. One stream while the page is looked at; where there is none, nothing is missing. */
import type { Change, Shape } from "@headway/sdk";
import { titleOf, whatOf, type Notification } from "../words/told";
import { session } from "./session.svelte";

/** What others or the clock bring about; what one does oneself is shown where it is done. */
const TOLD = new Set(["step_graded", "step_overridden", "streak_at_risk", "certificate_revoked"]);
const GATHERED_MS = 500;
const LOOKED_AT = 20;
/** How long a stream that was refused is waited with at first, and at most. */
const AGAIN_MS = 2000;
const AGAIN_MOST_MS = 60_000;

/** Follow the stream of who is here, until told to stop. */
export function follow(): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;
  let refusals = 0;

  function open(): void {
    if (source || document.visibilityState !== "visible") return;
    source = new EventSource("/api/v1/stream");
    source.onopen = opened;
    source.onerror = refused;
    source.onmessage = (event: MessageEvent<string>) =>
      told(JSON.parse(event.data) as Notification & { change: Change });
    source.addEventListener("reset", () => session.refresh());
  }

  /** It begins with what comes from now on: what came while it was refused is read. */
  function opened(): void {
    if (refusals) session.refresh();
    refusals = 0;
  }

  /** Where nobody answers it tries again by itself; after an answer, as a proxy gives it for a server that starts, never. */
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

/** Say it as the list of notifications does, which knows what is called how; where that cannot be read, by ids. */
async function say(one: Notification): Promise<void> {
  const list = await session.headway
    .ask<Shape<"NotificationList">>("GET", `/notifications?limit=${LOOKED_AT}`)
    .catch(() => null);
  const named = list?.items.find((other) => other.id === one.id);
  session.say([titleOf(one), whatOf({ ...one, title: named?.title ?? null })].filter(Boolean).join(": "));
}
