/** What notifications say in words, and where they lead. */
import type { Change } from "@headway/sdk";
import { t } from "./en";
import { percent, topic } from "./said";

export interface Notification {
  readonly id: string;
  readonly type: string;
  readonly at: string;
  readonly read_at: string | null;
  /** What it is about is called so now; a stream does not say it. */
  readonly title?: string | null;
  readonly change: Change;
}

export function titleOf({ type, change }: Notification): string {
  if (type === "streak_milestone") return t.celebrate.streak_milestone(Number(change["days"]));
  return t.notifications.types[type] ?? topic(type);
}

export function whatOf({ title, change }: Notification): string {
  const named = ["title", "module", "step", "topic", "course"]
    .map((name) => change[name])
    .find((one) => typeof one === "string");
  const score = typeof change["score_percent"] === "number" ? percent(change["score_percent"]) : "";
  const level = typeof change["level"] === "string" ? (t.progress.levels[change["level"]] ?? change["level"]) : "";
  // By its id is called what has no title any more.
  const name = title ?? (typeof named === "string" ? (change["title"] === named ? named : topic(named)) : "");
  return [name, score, level].filter(Boolean).join(" · ");
}

export function placeOf({ type, change }: Notification): string {
  if (type.startsWith("streak")) return "/streak";
  if (type === "achievement_unlocked") return `/achievements#${String(change["achievement"])}`;
  if (type === "certificate_issued") return "/certificates";
  if (type === "level_changed" || type === "weekly_summary") return "/progress";
  const course = change["course"];
  if (typeof course !== "string") return "/notifications";
  const step = change["step"];
  return typeof step === "string" ? `/courses/${course}/steps/${step}` : `/courses/${course}`;
}
