/** The one session of this window: which server, which learner, how what they do stands, and who is told of changes. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Outcome, Reading, Recorded, Standing } from "@headway/sdk";
import * as vscode from "vscode";
import { FileStore } from "./keeping/store";
import { Learner } from "./learner";
import { Tokens } from "./tokens";
import { toldOf, words } from "./words";

const AGAIN_MS = 250;

export class Session implements vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<void>();
  /** Something is not as it was read: progress, who is here, or what waits. */
  readonly onChange = this.changes.event;
  standing: Standing | null = null;
  private learner: Promise<Learner> | null = null;
  private store: FileStore | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly subscriptions: vscode.Disposable[] = [];

  constructor(private readonly context: vscode.ExtensionContext) {
    this.subscriptions.push(
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("headway.server")) this.restart();
      }),
      // Another window signed in or out, or made a guest.
      context.secrets.onDidChange(
        () =>
          void this.here()
            .then((learner) => learner.headway.me(true), ignored)
            .catch(ignored),
      ),
      vscode.window.onDidChangeWindowState((state) => {
        if (state.focused) void this.here().then((learner) => learner.headway.outbox.drain(), ignored);
      }),
    );
  }

  get server(): string {
    return vscode.workspace.getConfiguration("headway").get("server", "").trim().replace(/\/+$/, "");
  }

  /** The learner, started. It throws where the server's address is none, or nothing can be kept. */
  here(): Promise<Learner> {
    const begun = (this.learner ??= this.begin());
    // It is tried again when it is asked for again, unless that is of another server by then.
    begun.catch(() => {
      if (this.learner === begun) this.learner = null;
    });
    return begun;
  }

  async read<T>(path: string): Promise<Reading<T>> {
    return (await this.here()).headway.read<T>(path);
  }

  /** Do something of a step, and say what became of it. */
  async do(work: (learner: Learner) => Promise<Outcome>): Promise<Outcome> {
    const outcome = await work(await this.here());
    if (outcome.kind === "not saved") void vscode.window.showErrorMessage(words.notKept[outcome.reason]);
    return outcome;
  }

  changed(): void {
    // Many things change at once: they are read again once.
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.changes.fire(), AGAIN_MS);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.store?.close();
    for (const one of this.subscriptions) one.dispose();
    this.changes.dispose();
  }

  private async begin(): Promise<Learner> {
    const server = this.server;
    if (!/^https?:\/\/[^\s/]+$/.test(server)) throw new Error(words.noServer(server));
    const folder = createHash("sha256").update(server).digest("hex").slice(0, 16);
    const store = await FileStore.open(join(this.context.globalStorageUri.fsPath, folder));
    // The setting may have changed meanwhile: then what waits here is sent, and nothing of it is shown.
    if (server === this.server) {
      this.store?.close();
      this.store = store;
    } else store.close();
    const learner = new Learner(server, store, new Tokens(this.context.secrets, store, server));
    const { outbox } = learner.headway;
    // The outbox of the server before still sends what waits, but nothing of it is shown.
    const here = (does: () => void) => (this.store === store ? does() : undefined);
    outbox.onStanding((standing) =>
      here(() => {
        this.standing = standing;
        this.changed();
      }),
    );
    outbox.onRecorded((recorded) => here(() => this.recorded(recorded)));
    learner.headway.onIdentity(() => here(() => this.changed()));
    await learner.start();
    return learner;
  }

  private restart(): void {
    this.store?.close();
    this.store = null;
    this.learner = null;
    this.standing = null;
    this.changed();
  }

  private recorded({ changes, here }: Recorded): void {
    this.changed();
    if (!here || !vscode.workspace.getConfiguration("headway").get("notifications", true)) return;
    for (const change of changes) {
      const told = toldOf(change);
      if (told) void vscode.window.showInformationMessage(told);
    }
  }
}

/** Nothing is said of a failure here: the tree and the panels meet it again, and show it. */
function ignored(): void {}

/** An error in words for people. */
export function wordsOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
