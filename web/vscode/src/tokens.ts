/** Who the editor is for a server: an account's token, a guest's, or both until the guest has moved into the account. */
import type { Store } from "@headway/sdk";

/** What VS Code's SecretStorage is, as far as it is used: tests of the outbox bring a file. */
export interface Secrets {
  get(key: string): PromiseLike<string | undefined>;
  store(key: string, value: string): PromiseLike<void>;
  delete(key: string): PromiseLike<void>;
}

/** A guest's token, and whose it is: what is left of a guest who is gone is told by that alone. */
export interface Guest {
  readonly token: string;
  readonly learner: string;
}

const GUEST = "guest";

export class Tokens {
  constructor(
    private readonly secrets: Secrets,
    private readonly store: Store,
    private readonly server: string,
  ) {}

  /** The token to send; null for nobody. */
  async current(): Promise<string | null> {
    return (await this.account()) ?? (await this.guest())?.token ?? null;
  }

  async account(): Promise<string | null> {
    return (await this.secrets.get(this.key)) ?? null;
  }

  async setAccount(token: string | null): Promise<void> {
    if (token === null) await this.secrets.delete(this.key);
    else await this.secrets.store(this.key, token);
  }

  /** A guest's token lies beside what the guest did: where secrets are forgotten with the window, the guest would be. */
  async guest(): Promise<Guest | null> {
    return ((await this.store.note(GUEST)) as Guest | null | undefined) ?? null;
  }

  async setGuest(guest: Guest | null): Promise<void> {
    await this.store.setNote(GUEST, guest);
  }

  private get key(): string {
    return `headway account ${this.server}`;
  }
}
