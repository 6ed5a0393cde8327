/** The contract's shapes by their names, and those of operations that the document does not hold yet in every version. */
import type { components } from "./contract";

type Schemas = components["schemas"];
export type Shape<Name extends keyof Schemas> = Schemas[Name];
export type EventSent = Shape<"EventSent">;
export type Problem = Shape<"Problem">;
export type StepProgress = Shape<"StepProgress">;
export type CourseProgress = Shape<"CourseProgress">;
export type ModuleProgress = Shape<"ModuleProgress">;
export type StepStanding = Shape<"StepStanding">;
export type Learner = Shape<"Learner">;
export type Me = Shape<"Me">;
export type Verdict = Shape<"Attempt">;

/** What an event brought about: `type` says what, and the rest depends on it. */
export interface Change {
  readonly type: string;
  readonly [field: string]: unknown;
}
