/** The server's progress, and on top of it what this device holds unsent. */
import type { CourseProgress, ModuleProgress, StepStanding } from "./shapes";
import type { Item } from "./store";

export type StepShown = StepStanding & { readonly unsent: number };
export type ModuleShown = Omit<ModuleProgress, "steps"> & { readonly steps: readonly StepShown[] };
export type CourseShown = Omit<CourseProgress, "modules"> & { readonly modules: readonly ModuleShown[] };

/** A course as it stands with what waits. Nothing is foretold of a score: who grades has not seen it. */
export function withUnsent(progress: CourseProgress, waiting: readonly Item[]): CourseShown {
  const of = new Map<string, Item[]>();
  for (const item of waiting) {
    if (item.event.course !== progress.course) continue;
    of.set(item.event.step, [...(of.get(item.event.step) ?? []), item]);
  }
  const shown = (step: StepStanding): StepShown => stepWith(step, of.get(step.id) ?? []);
  return { ...progress, modules: progress.modules.map((module) => ({ ...module, steps: module.steps.map(shown) })) };
}

function stepWith(step: StepStanding, waiting: readonly Item[]): StepShown {
  const begun = waiting.filter((item) => item.event.type === "attempted" || item.event.type === "completed");
  if (!begun.length || step.completed) return { ...step, unsent: waiting.length };
  const done = begun.find((item) => item.event.type === "completed");
  return {
    ...step,
    unsent: waiting.length,
    completed: done !== undefined,
    completed_at: done?.event.occurred_at ?? null,
    status: done ? "completed" : "in_progress",
    attempts: step.attempts + begun.filter((item) => item.event.type === "attempted").length,
  };
}
