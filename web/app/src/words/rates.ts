/** Rates as they are, out of what they are of, and the levels that a heatmap shows them by. */
export type Level = "low" | "middle" | "high" | "none";
const AMBER = 40;
const GREEN = 70;

/** Red under 40, amber under 70, green from 70, exactly: 39.9 is not 40. */
export function levelOf(percent: number | null): Level {
  if (percent === null) return "none";
  if (percent < AMBER) return "low";
  return percent < GREEN ? "middle" : "high";
}

/** Part of whole in percent, not rounded: what is short of a mark stays short of it. Null where there is nothing. */
export function rateOf(part: number, whole: number): number | null {
  return whole ? (100 * part) / whole : null;
}
