/** The app's addresses and what they show. `http/app_pages.py` serves the same ones; a test compares them. */
import type { Component } from "svelte";

// Each page is fetched when it is first gone to, but for the one that most visits begin with.
type Load = () => Promise<{ default: Component<never> }>;

export const ROUTES: Readonly<Record<string, Load>> = {
  "/": () => import("./pages/Today.svelte"),
  "/courses": () => import("./pages/Courses.svelte"),
  "/courses/:course": () => import("./pages/Course.svelte"),
  "/courses/:course/steps/:step": () => import("./pages/Step.svelte"),
  "/streak": () => import("./pages/Streak.svelte"),
  "/progress": () => import("./pages/Progress.svelte"),
  "/achievements": () => import("./pages/Achievements.svelte"),
  "/leaderboard": () => import("./pages/Leaderboard.svelte"),
  "/certificates": () => import("./pages/Certificates.svelte"),
  "/notifications": () => import("./pages/Notifications.svelte"),
  "/settings": () => import("./pages/Settings.svelte"),
  "/settings/:section": () => import("./pages/Settings.svelte"),
  "/teach": () => import("./pages/teach/Courses.svelte"),
  "/teach/publish": () => import("./pages/teach/Publish.svelte"),
  "/teach/:course": () => import("./pages/teach/Course.svelte"),
  "/teach/:course/grading": () => import("./pages/teach/Grading.svelte"),
  "/teach/:course/publish": () => import("./pages/teach/Publish.svelte"),
  "/teach/:course/learners/:learner": () => import("./pages/teach/Learner.svelte"),
  "/operate": () => import("./pages/operate/Server.svelte"),
  "/operate/learners": () => import("./pages/operate/Learners.svelte"),
  "/operate/imports": () => import("./pages/operate/Imports.svelte"),
  "/unsent": () => import("./pages/Unsent.svelte"),
  "/sign-in": () => import("./pages/SignIn.svelte"),
  "/register": () => import("./pages/Register.svelte"),
};

export type Params = Readonly<Record<string, string>>;

/** The pattern that an address fits, and what it names; null where the app has no such page. */
export function matched(path: string, patterns: readonly string[] = Object.keys(ROUTES)) {
  const parts = path.split("/");
  for (const pattern of patterns) {
    const params = fitted(pattern.split("/"), parts);
    if (params) return { pattern, params };
  }
  return null;
}

function fitted(pattern: readonly string[], parts: readonly string[]): Params | null {
  if (pattern.length !== parts.length) return null;
  const params: Record<string, string> = {};
  for (const [place, name] of pattern.entries()) {
    const part = parts[place] ?? "";
    const said = decoded(part);
    if (name.startsWith(":") && said) params[name.slice(1)] = said;
    else if (name !== part) return null;
  }
  return params;
}

/** What a part of an address says; nothing where it is none: somebody cut it off within a character. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}
