/** Which days of a streak are what. */
import type { Shape } from "@headway/sdk";

export type StreakProgress = Shape<"StreakProgress">;
export type DayKind = "active" | "frozen" | "paused" | "idle";

export function kindOf(streak: StreakProgress): (day: string) => DayKind {
  const active = new Set(streak.days);
  const frozen = new Set(streak.freezes_spent_on);
  return (day) => {
    if (active.has(day)) return "active";
    if (frozen.has(day)) return "frozen";
    return streak.pauses.some((pause) => pause.from <= day && day <= pause.to) ? "paused" : "idle";
  };
}

/** A day so many days after another; both are days, not moments. */
export function after(day: string, days: number): string {
  const moved = new Date(`${day}T00:00:00Z`);
  moved.setUTCDate(moved.getUTCDate() + days);
  return moved.toISOString().slice(0, 10);
}

/** Monday is 0. */
export function weekday(day: string): number {
  return (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
}

const zones = new Map<string | undefined, Intl.DateTimeFormat>();

/** The day of a moment, today's of now, where the learner's days are counted. */
export function dayIn(timeZone: string | undefined, at = new Date()): string {
  // In the language that all is said in: another one takes a phone as long as the first did.
  const digits = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
  const format = zones.get(timeZone) ?? new Intl.DateTimeFormat("en", { timeZone, ...digits });
  zones.set(timeZone, format);
  const [month, , day, , year] = format.formatToParts(at).map((one) => one.value);
  return `${year}-${month}-${day}`;
}

/** What the flame shows: done today, still to do, nothing to keep. */
export function flameOf(streak: StreakProgress): "lit" | "waiting" | "cold" {
  if (streak.current === 0) return "cold";
  return streak.active_today ? "lit" : "waiting";
}
