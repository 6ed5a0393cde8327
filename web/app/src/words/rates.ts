/** Rates and the levels that a heatmap shows them by. */
import { t } from "./en";

export type Level = "low" | "middle" | "high" | "none";
const AMBER = 40;
const GREEN = 70;

/** Red under 40, amber under 70, green from 70, exactly: 39.9 is not 40. */
export function levelOf(percent: number | null): Level {
  if (percent === null) return "none";
  if (percent < AMBER) return "low";
  return percent < GREEN ? "middle" : "high";
}

/** A rate with as many decimals as it takes to be on its own side of what it is compared with. */
export function rate(percent: number | null): string {
  if (percent === null) return t.teach.report.none;
  const whole = Math.round(percent);
  const same = levelOf(whole) === levelOf(percent) && (whole < 100 || percent === 100);
  return t.percent(same ? whole : Math.floor(percent * 10) / 10);
}
