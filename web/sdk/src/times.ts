/** Times as they are sent. */

/**
 * A moment as RFC 3339 by the device's own clock. Its distance from UTC says on which day that was for the learner; where
 * there is none, the learner's zone does.
 */
export function localTime(at: Date): string {
  const east = -at.getTimezoneOffset();
  const clock = new Date(at.getTime() + east * 60_000).toISOString().slice(0, -1);
  if (!east) return `${clock}Z`;
  const two = (number: number): string => String(number).padStart(2, "0");
  const minutes = Math.abs(east);
  return `${clock}${east < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
