/** How long to wait before the next try, so that not all clients come back at once. */

const LONGEST_MS = 5 * 60_000;
/** Nobody is left alone for longer than that, whatever was asked for. */
export const LONGEST_REST_S = 3600;

/** Milliseconds before the next try after so many failures: doubled each time, and somewhere in its upper half. */
export function backoff(failures: number, chance: number = Math.random()): number {
  const whole = Math.min(LONGEST_MS, 1000 * 2 ** Math.min(failures - 1, 20));
  return whole / 2 + (whole / 2) * chance;
}
