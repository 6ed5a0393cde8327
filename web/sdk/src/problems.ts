/** What can go wrong between a client and the server, told apart by what to do about it. */
import type { Problem } from "./shapes";

/** The server answered, and refused. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  constructor(
    readonly problem: Problem,
    /** Seconds to wait before the next try, where the server says so. */
    readonly retryAfter: number | null = null,
  ) {
    super(problem.detail || problem.title);
  }

  /** The slug of the problem's type: `locked` of `/problems/locked`. */
  get code(): string {
    return codeOf(this.problem);
  }

  get status(): number {
    return this.problem.status;
  }

  /** Whether the same request may well succeed later. */
  get passes(): boolean {
    return this.status === 429 || this.status === 408 || this.status >= 500;
  }
}

/** No server of ours answered: no network, a timeout, or a page of somebody else's in between. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
  /** With which status somebody else answered, and for how many seconds they asked to be left alone. */
  readonly status: number | null;
  readonly retryAfter: number | null;

  constructor(message: string, told: ErrorOptions & { status?: number; retryAfter?: number | null } = {}) {
    super(message, told);
    this.status = told.status ?? null;
    this.retryAfter = told.retryAfter ?? null;
  }
}

/** What a device keeps for later has no room left, or cannot be kept at all. */
export class NotKept extends Error {
  override readonly name = "NotKept";

  constructor(
    readonly reason: "full" | "unavailable",
    options?: ErrorOptions,
  ) {
    super(reason === "full" ? "there is no room left on this device" : "this device keeps nothing", options);
  }
}

export function codeOf(problem: Problem): string {
  return problem.type.slice(problem.type.lastIndexOf("/") + 1);
}
