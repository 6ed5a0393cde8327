/** Numbers and times as people read them, in the reader's zone. */
import { session } from "../state/session.svelte";
import { t } from "./en";

const LOCALE = "en";

function zoned(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(LOCALE, { timeZone: session.zone, ...options });
}

/** A moment as a day: "3 Mar 2026". */
export function dayOf(at: string | Date): string {
  return zoned({ day: "numeric", month: "short", year: "numeric" }).format(new Date(at));
}

/** A day that is one already, whatever the zone: "3 Mar 2026". */
export function day(
  on: string,
  options: Intl.DateTimeFormatOptions = { day: "numeric", month: "short", year: "numeric" },
) {
  return new Intl.DateTimeFormat(LOCALE, { ...options, timeZone: "UTC" }).format(new Date(`${on}T00:00:00Z`));
}

/** A moment with its time: "3 Mar, 14:05". */
export function momentOf(at: string | Date): string {
  return zoned({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(
    new Date(at),
  );
}

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** How long ago: "2 hours ago"; beyond a week, the day. */
export function ago(at: string | Date, now = Date.now()): string {
  const seconds = (new Date(at).getTime() - now) / 1000;
  if (Math.abs(seconds) > 7 * 86_400) return dayOf(at);
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) {
      return new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto" }).format(Math.round(seconds / size), unit);
    }
  }
  return new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto" }).format(0, "second");
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

/** A percentage without more digits than anybody reads; a perfect one alone is 100. */
export function percent(value: number | null | undefined): string {
  if (value === null || value === undefined) return t.time.none;
  return t.percent(rounded(value));
}

export function rounded(value: number): number {
  // 99.6 % is not all of it.
  return value > 99 && value < 100 ? 99 : Math.round(value);
}

/** Today, as a day in the reader's zone. */
export function today(): string {
  return new Intl.DateTimeFormat("sv", { timeZone: session.zone }).format(new Date());
}

/** Names as "A, B and C". */
export function listed(names: readonly string[]): string {
  return new Intl.ListFormat(LOCALE, { type: "conjunction" }).format(names);
}

/** A topic's slug as words. */
export function topic(name: string): string {
  const words = name.replaceAll(/[-_]/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
