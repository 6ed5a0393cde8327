/** Signing in by way of a browser: RFC 8628. */
import { Refusal, transport, Unreachable, type Shape } from "@headway/sdk";

const GRANT = "urn:ietf:params:oauth:grant-type:device_code";
const SLOWER_S = 5;
const LONGEST_S = 60;

export type Waits = Shape<"DeviceWaits">;

/** Begin: the code that the learner enters in the browser, and where. */
export async function begin(server: string, client: string): Promise<Waits> {
  const body = { client_id: client.slice(0, 100), scope: "read write" };
  const waits = await transport(server)<Waits | undefined>("POST", "/auth/device", { body });
  if (!waits || !/^https?:\/\//.test(waits.verification_uri_complete))
    throw new Unreachable("the server does not say how to sign in");
  return waits;
}

/** Ask until somebody has let this editor in: its token; null where it was given up. Refusal once it is refused. */
export async function tokenOf(server: string, waits: Waits, signal: AbortSignal): Promise<string | null> {
  const ask = transport(server);
  const until = Date.now() + waits.expires_in * 1000;
  const body = { grant_type: GRANT, device_code: waits.device_code };
  for (let interval = Math.max(1, waits.interval); Date.now() < until;) {
    await pause(interval * 1000, signal);
    if (signal.aborted) return null;
    try {
      const told = await ask<Shape<"DeviceToken"> | undefined>("POST", "/auth/device/token", { body, signal });
      if (typeof told?.access_token === "string") return told.access_token;
    } catch (error) {
      if (signal.aborted) return null;
      interval = slower(error, interval);
    }
  }
  throw new Error("The code has run out. Sign in again for a new one.");
}

/** Seconds to wait before the next try; what is nothing to wait for is thrown. */
function slower(error: unknown, interval: number): number {
  if (error instanceof Unreachable) return Math.min(interval * 2, LONGEST_S);
  if (!(error instanceof Refusal)) throw error;
  const said = error.problem.error;
  if (said === "authorization_pending") return interval;
  if (said === "slow_down" || error.passes) return Math.max(interval + SLOWER_S, error.retryAfter ?? 0);
  throw error;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      done();
    });
  });
}
