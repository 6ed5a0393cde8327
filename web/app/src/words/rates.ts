/** The levels that a heatmap shows rates by. */
export type Level = "low" | "middle" | "high" | "none";
const AMBER = 40;
const GREEN = 70;

/** Red under 40, amber under 70, green from 70, exactly: 39.9 is not 40. */
export function levelOf(percent: number | null): Level {
  if (percent === null) return "none";
  if (percent < AMBER) return "low";
  return percent < GREEN ? "middle" : "high";
}
