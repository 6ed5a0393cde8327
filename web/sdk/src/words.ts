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

/**
 * A percentage without more digits than anybody reads, or than the mark has that it stands beside: cut and not rounded,
 * so that what is short of a mark is told as short of it.
 */
export function cut(percent: number, mark = 0): number {
  const scale = 10 ** (String(mark).split(".")[1]?.length ?? 0);
  // 100 * 0.29 is a hair below 29; scores have four decimals at most.
  return Math.floor(Number((percent * scale).toFixed(6))) / scale;
}
