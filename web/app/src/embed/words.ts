/** The words of what is embedded. */
const time = new Intl.DateTimeFormat("en", { hour: "numeric", minute: "2-digit" });

function plural(count: number, one: string): string {
  return `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;
}

export const words = {
  loading: "Loading…",
  again: "Try again",
  unreachable: "Progress cannot be loaded right now.",
  stale: (at: Date) => `As of ${time.format(at)}; it cannot be refreshed right now.`,
  elsewhere: (host: string) => `See your progress at ${host}`,
  whichCourse: 'Name the course: <headway-progress course="…">.',
  noShare: "This is no address of a shared page.",
  notShared: "Nothing is shared here, or not any more.",
  noCourse: "There is no such course.",
  courseNotShared: "This course is not shared here.",
  streakNotShared: "The streak is not shared here.",
  by: (name: string | null) => (name ? `Shared by ${name}.` : "Shared by a learner."),
  percent: (whole: number) => `${whole} %`,
  completed: "Completed.",
  short: "All steps done; score below the pass mark.",
  steps: (done: number, all: number) => `${done} of ${plural(all, "step")} done.`,
  notBegun: (all: number) => `Not begun yet: ${plural(all, "step")}.`,
  streak: "Streak",
  days: (count: number) => plural(count, "day"),
  longest: (count: number) => `Longest: ${plural(count, "day")}.`,
  noStreak: "No streak yet: it begins with the first answer.",
  keepIt: "Nothing done yet today.",
};
