/** The learner of this editor at one server: a guest from the first write on, moved into the account that signs in. */
import { Headway, Refusal, transport, Unreachable, type Ask, type Shape, type Store } from "@headway/sdk";
import type { Guest, Tokens } from "./tokens";

export type Merged = Shape<"GuestMoved">["merged"];

export class Learner {
  readonly headway: Headway;
  private readonly as: (token: string | null) => Ask;

  constructor(
    readonly server: string,
    store: Store,
    private readonly tokens: Tokens,
  ) {
    this.as = (token) =>
      transport(server, (): Record<string, string> => (token ? { authorization: `Bearer ${token}` } : {}));
    this.headway = new Headway(store, (method, path, asking) => this.ask(method, path, asking));
  }

  /** Begin; a guest whose move was cut off is moved now. */
  async start(): Promise<void> {
    await this.headway.start();
    await this.moveGuest().catch(passing);
  }

  /** Act as an account from now on. What waits is sent first, as whoever it was made by. */
  async signIn(token: string): Promise<Merged> {
    const me = await this.as(token)<Shape<"Me">>("GET", "/auth/me");
    if (me.kind !== "account") throw new Error("that is no account's token");
    await this.headway.outbox.drain(true);
    const merged = await this.headway.store.alone(async () => {
      // Both are kept until the server has moved the guest: whenever this is cut off, it is done at the next start.
      await this.tokens.setAccount(token);
      return this.moved();
    });
    await this.changed();
    return merged;
  }

  /** Be nobody here. What is unsent stays for the one who made it. */
  async signOut(): Promise<void> {
    await this.headway.outbox.drain(true);
    // A guest that has not moved yet would stay behind, and go to whoever signs in next.
    await this.moveGuest().catch(passing);
    await this.headway.store.alone(() => this.tokens.setAccount(null));
    await this.headway.forgetMe();
    this.headway.store.tell({ type: "identity" });
  }

  /** A guest of whom the server knows nothing any more is forgotten, and what waits is the next one's. Whether it was so. */
  async beginAnew(): Promise<boolean> {
    const { headway, tokens } = this;
    const isAnew = await headway.store.alone(async () => {
      const guest = await tokens.guest();
      if (guest === null || (await tokens.account()) !== null || !(await this.isGone(guest.token))) return false;
      await headway.forgetMe();
      await this.forgetGuest(guest, null);
      return true;
    });
    if (isAnew) await headway.outbox.drain(true);
    return isAnew;
  }

  /** The token goes last: if this is cut off before, it still says whose the waiting events are. */
  private async forgetGuest(guest: Guest, heir: string | null): Promise<void> {
    await this.headway.outbox.release(guest.learner, heir);
    await this.tokens.setGuest(null);
  }

  /** Whether the server says that it knows nobody of this token. */
  private async isGone(token: string): Promise<boolean> {
    try {
      await this.as(token)("GET", "/auth/me");
    } catch (error) {
      passing(error);
      return error instanceof Refusal && error.status === 401;
    }
    return false;
  }

  /** Somebody signed in or out, here or in another window. */
  async changed(): Promise<void> {
    await this.headway.me(true).catch(passing);
    this.headway.store.tell({ type: "identity" });
    void this.headway.outbox.drain(true);
  }

  private async moveGuest(): Promise<void> {
    if ((await this.tokens.account()) && (await this.tokens.guest())) {
      await this.headway.store.alone(() => this.moved());
    }
  }

  private async moved(): Promise<Merged> {
    const [account, guest] = [await this.tokens.account(), await this.tokens.guest()];
    if (!account || !guest) return null;
    try {
      const merged = await this.merged(account, guest.token);
      if (merged) await this.tokens.setGuest(null);
      else await this.forgetGuest(guest, (await this.as(account)<Shape<"Me">>("GET", "/auth/me")).learner?.id ?? null);
      return merged;
    } catch (error) {
      // It is tried again at the next start.
      passing(error);
      return null;
    }
  }

  /** What the server has moved; null where it knows no such guest any more. */
  private async merged(account: string, guest_token: string): Promise<Merged> {
    try {
      const told = await this.as(account)<Shape<"GuestMoved"> | undefined>("POST", "/auth/merge", {
        body: { guest_token },
      });
      if (told?.merged === undefined) throw new Unreachable("the server does not say that the guest has moved");
      return told.merged;
    } catch (error) {
      if (error instanceof Refusal && error.status === 422) return null;
      throw error;
    }
  }

  private async ask<T>(method: string, path: string, asking?: Parameters<Ask>[2]): Promise<T> {
    let token = await this.tokens.current();
    // The server would hand a nobody's new guest out as a cookie, and an editor keeps none.
    if (token === null && method !== "GET") token = (await this.guest()).token;
    return this.as(token)<T>(method, path, asking);
  }

  /** A new guest. Only the outbox writes as nobody, and it holds the lock of all windows meanwhile. */
  private async guest(): Promise<Guest> {
    const made = await this.as(null)<Shape<"GuestMade"> | undefined>("POST", "/auth/guest", { body: {} });
    const [token, learner] = [made?.token, made?.learner?.id];
    if (typeof token !== "string" || typeof learner !== "string")
      throw new Unreachable("the server does not say which guest it made");
    // A window that was taken for dead may have made one meanwhile: what is recorded is that one's.
    const other = await this.tokens.guest();
    if (other === null) await this.tokens.setGuest({ token, learner });
    return other ?? { token, learner };
  }
}

/** Ignore that the server cannot be reached or refused: it is tried again, or the outbox tells. */
export function passing(error: unknown): void {
  if (!(error instanceof Unreachable || error instanceof Refusal)) throw error;
}
