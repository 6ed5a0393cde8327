/** Signing in and out, as the learner sees it. */
import { hostname } from "node:os";
import * as vscode from "vscode";
import { begin, tokenOf, type Waits } from "./device";
import type { Session } from "./session";
import { words } from "./words";

/** Sign in: show the code, open the page, and wait until somebody has entered it. */
export async function signIn(session: Session): Promise<void> {
  const learner = await session.here();
  const waits = await begin(learner.server, `${vscode.env.appName} on ${hostname()}`);
  // The address is shown with the code, for whoever enters it on another device.
  const ask = words.signIn.ask(waits.user_code, waits.verification_uri);
  const picked = await vscode.window.showInformationMessage(ask, { modal: true }, words.signIn.copy, words.signIn.open);
  if (!picked) return;
  if (picked === words.signIn.copy) await vscode.env.clipboard.writeText(waits.user_code);
  await vscode.env.openExternal(vscode.Uri.parse(waits.verification_uri_complete));
  const token = await waiting(learner.server, waits);
  if (token === null) return;
  const merged = await learner.signIn(token);
  const { learner: me } = learner.headway.identity;
  const done = words.signIn.done(me?.display_name ?? me?.email ?? "your account");
  void vscode.window.showInformationMessage(merged?.events ? `${done} ${words.signIn.moved(merged.steps)}` : done);
  session.changed();
}

async function waiting(server: string, waits: Waits): Promise<string | null> {
  const options = { location: vscode.ProgressLocation.Notification, title: words.signIn.title, cancellable: true };
  return vscode.window.withProgress(options, async (progress, cancelled) => {
    progress.report({ message: words.signIn.waiting(waits.user_code) });
    const giving = new AbortController();
    cancelled.onCancellationRequested(() => giving.abort());
    return tokenOf(server, waits, giving.signal);
  });
}

export async function signOut(session: Session): Promise<void> {
  const learner = await session.here();
  if (learner.headway.identity.kind !== "account") {
    const isAnew = await learner.beginAnew();
    void vscode.window.showInformationMessage(isAnew ? words.signIn.anew : words.signIn.nobody);
    session.changed();
    return;
  }
  await learner.signOut();
  void vscode.window.showInformationMessage(words.signIn.out);
  session.changed();
}
