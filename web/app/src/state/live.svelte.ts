/** What the server tells as it happens. One stream while the page is looked at; where there is none, nothing is missing. */
import type { Change, Shape } from "@headway/sdk";
import { titleOf, whatOf, type Notification } from "../words/told";
import { session } from "./session.svelte";

/** What others or the clock bring about; what one does oneself is shown where it is done. */
const TOLD = new Set(["step_graded", "step_overridden", "streak_at_risk", "certificate_revoked"]);
const GATHERED_MS = 500;
const LOOKED_AT = 20;

/** Follow the stream of who is here, until told to stop. */
export function follow(): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function open(): void {
    if (source || document.visibilityState !== "visible") return;
    source = new EventSource("/api/v1/stream");
    source.onmessage = (event: MessageEvent<string>) =>
      told(JSON.parse(event.data) as Notification & { change: Change });
    source.addEventListener("reset", () => session.refresh());
  }

  function told(one: Notification): void {
    if (TOLD.has(one.type)) void say(one);
    clearTimeout(timer);
    timer = setTimeout(() => session.refresh(), GATHERED_MS);
  }

  function close(): void {
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
