/** Numbers and times as people read them, in the reader's zone. */
import { cut } from "@headway/sdk/words";
import { session } from "../state/session.svelte";
import { dayIn } from "../state/streak";
import { t } from "./en";

const LOCALE = "en";

// To make a format takes longer than to use it a hundred times, and a page says hundreds of days and numbers.
const clocks = new Map<string, Intl.DateTimeFormat>();

function clock(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify(options);
  const found = clocks.get(key) ?? new Intl.DateTimeFormat(LOCALE, options);
  clocks.set(key, found);
  return found;
}

/** What names, numbers and dates take to be said: the first of each takes a phone long, and together a tenth of a second. */
export const PREPARED: readonly (() => void)[] = [
  () => void "a".localeCompare("b"),
  () => void number(1000),
  () => void day("2026-01-01"),
];

function zoned(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return clock({ timeZone: session.zone, ...options });
}

/** A moment as a day: "Mar 3, 2026". */
export function dayOf(at: string | Date): string {
  return zoned({ day: "numeric", month: "short", year: "numeric" }).format(new Date(at));
}

/** A day that is one already, whatever the zone: "Mar 3, 2026". */
export function day(
  on: string,
  options: Intl.DateTimeFormatOptions = { day: "numeric", month: "short", year: "numeric" },
) {
  return clock({ ...options, timeZone: "UTC" }).format(new Date(`${on}T00:00:00Z`));
}

/** The same, of this year without it: "Mar 3". */
export function dayShortly(on: string) {
  return on.slice(0, 4) === today().slice(0, 4) ? day(on, { day: "numeric", month: "short" }) : day(on);
}

/** A week of ISO 8601, "2026-W10", as its Monday: "Mar 2, 2026". */
export function weekOf(week: string): string {
  const [year = 0, number = 0] = week.split("-W").map(Number);
  // The fourth of January is always in the first week.
  const fourth = new Date(Date.UTC(year, 0, 4));
  fourth.setUTCDate(4 - ((fourth.getUTCDay() + 6) % 7) + 7 * (number - 1));
  return day(fourth.toISOString().slice(0, 10));
}

/** A moment with its time: "Mar 3, 14:05". */
export function momentOf(at: string | Date): string {
  return zoned({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(
    new Date(at),
  );
}

const [MINUTE_MS, HOUR_MS, DAY_MS] = [60_000, 3_600_000, 86_400_000];

/** How long ago: "2 hours ago", beyond a day in days of the calendar; beyond a week, the day. A clock that is behind says "now". */
export function ago(at: string | Date): string {
  const then = new Date(at);
  const past = Date.now() - then.getTime();
  if (past > 7 * DAY_MS) return dayOf(then);
  if (past >= DAY_MS) return t.time.ago(daysBetween(dayIn(session.zone, then), today()), "day");
  // Whole ones: 59 minutes and a half are not 60.
  if (past >= HOUR_MS) return t.time.ago(Math.floor(past / HOUR_MS), "hour");
  return past >= MINUTE_MS ? t.time.ago(Math.floor(past / MINUTE_MS), "minute") : t.time.now;
}

function daysBetween(earlier: string, later: string): number {
  return Math.round((Date.parse(later) - Date.parse(earlier)) / DAY_MS);
}

/** Seconds as "2 h 5 min". */
export function lasting(seconds: number): string {
  if (seconds < 60) return t.time.seconds(Math.round(seconds));
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return t.time.minutes(minutes);
  const rest = minutes % 60;
  return rest ? `${t.time.hours(Math.floor(minutes / 60))} ${t.time.minutes(rest)}` : t.time.hours(minutes / 60);
}

/** A number with its thousands apart. */
export function number(value: number): string {
  return value.toLocaleString(LOCALE);
}

/** Bytes as "12.4 MB". */
export function bytes(count: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  const unitDisplay = power ? "short" : "long";
  const format = { style: "unit", unit: units[power], unitDisplay, maximumFractionDigits: power > 1 ? 1 : 0 } as const;
  return new Intl.NumberFormat(LOCALE, format).format(count / 1000 ** power);
}

/** A percentage as people read it, beside a mark perhaps. */
export function percent(value: number | null | undefined, mark?: number): string {
  if (value === null || value === undefined) return t.time.none;
  return t.percent(cut(value, mark));
}

/** Today, as a day in the reader's zone. */
export function today(): string {
  return dayIn(session.zone);
}

/** Names as "A, B and C". */
export function listed(names: readonly string[]): string {
  return new Intl.ListFormat(LOCALE, { type: "conjunction" }).format(names);
}

/** A topic's slug as words. */
export function topic(name: string): string {
  return capital(name.replaceAll(/[-_]/g, " "));
}

/** What a server says in lower case and without a period, as a sentence. */
export function sentence(said: string): string {
  return `${capital(said)}${/[.!?]$/.test(said) ? "" : "."}`;
}

function capital(said: string): string {
  return said.charAt(0).toUpperCase() + said.slice(1);
}

/** What a learner is called by who teaches or operates; two who gave no name are not called alike. */
export function calledOf(id: string, name: string | null, external: string | null = null): string {
  return name ?? external ?? t.teach.roster.nameless(id);
}
