/** All that the extension says, in one place. */
import type { Change, Outcome } from "@headway/sdk";
import { cut, WHY } from "@headway/sdk/words";

export function plural(count: number, one: string): string {
  return `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;
}

export function percent(score: number): string {
  return `${cut(score * 100)} %`;
}

export const words = {
  unreachable: "The server cannot be reached.",
  noServer: (said: string) =>
    `“${said}” is no address of a server. Set “Headway: Server” to one like https://learn.example.org.`,
  notKept: {
    full: "This device has no room left: what you do now is not saved.",
    unavailable: "Nothing can be kept on this device: what you do now is not saved.",
  },
  signIn: {
    title: "Headway: signing in",
    ask: (code: string, where: string) => `Enter the code ${code} at ${where}.`,
    open: "Open Page",
    copy: "Copy Code and Open Page",
    waiting: (code: string) => `Waiting for the code ${code} to be entered`,
    done: (name: string) => `You are signed in as ${name}.`,
    moved: (steps: number) => `Your guest progress came along: ${plural(steps, "step")}.`,
    out: "You are signed out. The token is revoked on your account's page, under settings.",
    anew: "The server does not know the guest of this editor any more: what waits, and what you do now, is another one's.",
    nobody: "You are not signed in: what you do is recorded for a guest of this editor.",
    ended: "Your sign-in has ended. What you did waits until you sign in again.",
  },
  tree: {
    none: "There are no courses yet.",
    stale: (at: Date) => `offline, as of ${at.toLocaleString("en", { dateStyle: "medium", timeStyle: "short" })}`,
    course: (whole: number) => `${whole} %`,
    locked: (by: readonly string[]) => `Locked until ${by.join(" and ") || "more"} is completed`,
    states: {
      locked: "locked",
      open: "open",
      in_progress: "in progress",
      completed: "completed",
      submitted: "waits for a grade",
    } as Record<string, string>,
    attempts: (count: number, best: number | null) =>
      [plural(count, "attempt"), best === null ? "" : `best ${percent(best)}`].filter(Boolean).join(", "),
    unsent: "saved on this device, not sent yet",
  },
  why: WHY,
  unsent: {
    title: "Not sent yet",
    none: "Everything is saved on the server.",
    send: "Send now",
    held: "made by somebody else: sent once they sign in here",
    waits: "waits to be sent",
    refused: "refused",
    forget: "Take what was refused off the list",
  },
  tests: {
    noFolder: "Open a folder first: the exercise's files are laid out in it.",
    noTrust: "Trust this workspace first: an exercise's files and tests are its author's.",
    noTests: "This step has no tests to run.",
    ask: (command: string) =>
      `The tests run a program that the course's author chose, in the exercise's folder: ${command}`,
    run: "Run",
    laidOut: (count: number, folder: string) => `${plural(count, "file")} written to ${folder}.`,
    kept: (paths: readonly string[]) => `Kept as you have changed them: ${paths.join(", ")}.`,
    result: (passed: number, total: number) => `${passed} of ${total} passed`,
    submit: "Submit",
    slow: (seconds: number) => `The tests took longer than ${seconds} s and were stopped.`,
    cut: "(What the tests printed before is not shown.)\r\n",
    noReport: (path: string) => `The tests wrote no report ${path}.`,
    cannot: (command: string, why: string) => `The test command ${command} cannot be run: ${why}`,
  },
};

/** What became of something done, in a title and a line. */
export function said(outcome: Outcome): { tone: "good" | "partly" | "wrong" | "kept"; title: string; text: string } {
  switch (outcome.kind) {
    case "waiting":
      return { tone: "kept", title: "Saved on this device", text: outcome.problem?.detail ?? words.why[outcome.why] };
    case "refused":
      return { tone: "wrong", title: "Not recorded", text: outcome.problem.detail };
    case "not saved":
      return { tone: "wrong", title: "Not saved", text: words.notKept[outcome.reason] };
    case "recorded":
      return judged(outcome);
  }
}

function judged({ verdict, step }: Extract<Outcome, { kind: "recorded" }>): ReturnType<typeof said> {
  if (!verdict) {
    return step?.completed
      ? { tone: "good", title: "Saved", text: "Completed." }
      : { tone: "partly", title: "Saved", text: "" };
  }
  const { score, passed, feedback } = verdict;
  if (score === null) return { tone: "kept", title: "Handed in", text: "Somebody grades it; it is shown here then." };
  if (passed) return { tone: "good", title: score === 1 ? "Right" : `Passed: ${percent(score)}`, text: feedback };
  if (score > 0) return { tone: "partly", title: `Partly right: ${percent(score)}`, text: feedback };
  return { tone: "wrong", title: "Not yet", text: feedback };
}

const CHANGES: Record<string, string> = {
  module_completed: "Module completed",
  module_unlocked: "Module unlocked",
  course_completed: "Course completed",
  certificate_issued: "Certificate issued",
  achievement_unlocked: "Achievement unlocked",
  level_changed: "New level",
};

/** What is told of a change; null of those that nobody needs to be interrupted for. */
export function toldOf(change: Change): string | null {
  const what = CHANGES[change.type];
  if (!what) return null;
  const named = ["title", "module", "topic", "course"]
    .map((name) => change[name])
    .find((one) => typeof one === "string");
  const level = change.type === "level_changed" && typeof change["level"] === "string" ? ` (${change["level"]})` : "";
  return `${what}: ${String(named ?? "")}${level}`;
}
