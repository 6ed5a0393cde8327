/** What every client that shows something says in the same words, in English. */
import type { Why } from "./outbox";

/** Why something still waits. */
export const WHY: Readonly<Record<Why, string>> = {
  unreachable: "The server cannot be reached. It is tried again by itself.",
  later: "The server is busy and asked for some time. It is tried again by itself.",
  "signed-out": "Your sign-in has ended. Sign in again, and it is sent.",
  locked: "The step is still locked for you. It is tried again when more is recorded.",
  grader: "The answer cannot be graded right now. It is tried again by itself.",
  trouble: "Something went wrong. It is tried again by itself.",
};

/** A percentage without more digits than anybody reads; a perfect one alone is 100. */
export function rounded(percent: number): number {
  // 99.6 % is not all of it.
  return percent > 99 && percent < 100 ? 99 : Math.round(percent);
}
