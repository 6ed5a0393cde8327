/** One request and its reply: JSON both ways, problems as errors, whatever is not Headway as no answer at all. */
import { Refusal, Unreachable } from "./problems";
import type { Problem } from "./shapes";
import { LONGEST_REST_S } from "./waiting";

const PATIENCE_MS = 20_000;
/** Beyond this a browser refuses to send the request when the page is closed meanwhile. */
const KEEPALIVE_BYTES = 60_000;

export interface Asking {
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** Let the request outlive its page. */
  readonly keepalive?: boolean;
  /** How many milliseconds the answer may take, where it may take longer than most. */
  readonly patience?: number;
}

export type Ask = <T>(method: string, path: string, asking?: Asking) => Promise<T>;

/** Requests to `url`, the address of a server, or nothing for the page's own; `headers` are sent with each of them. */
export function transport(url = "", headers: () => Record<string, string> = () => ({})): Ask {
  return async <T>(method: string, path: string, asking: Asking = {}): Promise<T> => {
    const reply = await sent(`${url}/api/v1${path}`, method, headers(), asking);
    // Headway numbers each request that it answers; the page of a hotel may well be JSON, or nothing at all.
    const isOurs = reply.headers.has("x-request-id");
    if (reply.status === 204 && isOurs && method !== "GET") return undefined as T;
    const told = await read(reply);
    if (!reply.ok) throw refusal(reply, told);
    if (!isOurs) throw foreign(reply);
    return told as T;
  };
}

async function sent(url: string, method: string, headers: Record<string, string>, asking: Asking): Promise<Response> {
  const body = asking.body === undefined ? undefined : JSON.stringify(asking.body);
  const signals = [AbortSignal.timeout(asking.patience ?? PATIENCE_MS), ...(asking.signal ? [asking.signal] : [])];
  try {
    return await fetch(url, {
      method,
      body,
      headers: { accept: "application/json", ...(body ? { "content-type": "application/json" } : {}), ...headers },
      signal: AbortSignal.any(signals),
      // A redirect is somebody else's: the sign-in of a hotel's network, most of the time.
      redirect: "error",
      credentials: "same-origin",
      keepalive: Boolean(asking.keepalive && body && body.length < KEEPALIVE_BYTES),
    });
  } catch (error) {
    if (asking.signal?.aborted) throw error;
    throw new Unreachable("the server cannot be reached", { cause: error });
  }
}

async function read(reply: Response): Promise<unknown> {
  const type = reply.headers.get("content-type") ?? "";
  if (!/^application\/(problem\+)?json\b/.test(type)) {
    throw foreign(reply);
  }
  try {
    return await reply.json();
  } catch (error) {
    throw new Unreachable("the reply was cut off", { cause: error });
  }
}

function refusal(reply: Response, told: unknown): Error {
  const problem = told as Partial<Problem> | null;
  const isOurs = typeof problem?.type === "string" && problem.type.startsWith("/problems/");
  if (!isOurs || typeof problem.status !== "number") return foreign(reply);
  return new Refusal(problem as Problem, seconds(reply.headers.get("retry-after")));
}

function foreign(reply: Response): Unreachable {
  const { status } = reply;
  const retryAfter = seconds(reply.headers.get("retry-after"));
  return new Unreachable(`something that is not Headway answered, with status ${status}`, { status, retryAfter });
}

/** `Retry-After` in seconds, an hour at most: a number, or a date. */
export function seconds(said: string | null, now = Date.now()): number | null {
  if (!said) return null;
  const asked = /^\d+$/.test(said) ? Number(said) : Math.ceil((Date.parse(said) - now) / 1000);
  return Number.isNaN(asked) ? null : Math.min(LONGEST_REST_S, Math.max(0, asked));
}
