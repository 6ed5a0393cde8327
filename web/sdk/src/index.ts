export { Headway, type Doing, type Reading, type SignedIn, type StepRef } from "./client";
export { Outbox, type Identities, type Outcome, type Recorded, type Standing, type Why } from "./outbox";
export { newId } from "./ids";
export { codeOf, NotKept, Refusal, Unreachable } from "./problems";
export type * from "./shapes";
export type { Item, Kept, SetAside, Settling, Store } from "./store";
export { transport, type Ask } from "./transport";
export { withUnsent, type CourseShown, type ModuleShown, type StepShown } from "./unsent";
