/** All the wiring. Nothing is asked of a server, or of the disk, before the window is there. */
import * as vscode from "vscode";
import { Bar, showUnsent } from "./bar";
import { Panels, type Place } from "./panel";
import { Session, wordsOf } from "./session";
import { signIn, signOut } from "./signing";
import { prepare } from "./testing";
import { Tree, type Node } from "./tree";
import { words } from "./words";

export function activate(context: vscode.ExtensionContext): void {
  const session = new Session(context);
  const tree = new Tree(session);
  const panels = new Panels(context, session);
  const bar = new Bar(session);
  context.subscriptions.push(
    session,
    tree,
    panels,
    bar,
    vscode.window.registerTreeDataProvider("headway.courses", tree),
  );
  const commands: Record<string, (...given: never[]) => unknown> = {
    signIn: () => signIn(session),
    signOut: () => signOut(session),
    refresh: () => session.changed(),
    sync: () => sync(session),
    showUnsent: () => showUnsent(session),
    openStep: (given?: Place | Node) => withPlace(panels, given, (place) => void panels.show(place)),
    runTests: (given?: Place | Node) => withPlace(panels, given, (place) => panels.show(place).test()),
    submit: (given?: Place | Node) => withPlace(panels, given, (place) => panels.show(place).submit()),
    openFiles: (given?: Place | Node) => withPlace(panels, given, (place) => openFiles(session, place)),
    openInBrowser: (given?: Place | Node) => openInBrowser(session, placeOf(given) ?? panels.current?.place ?? null),
  };
  for (const [name, does] of Object.entries(commands)) {
    const run = async (...given: never[]) => {
      try {
        await does(...given);
      } catch (error) {
        void vscode.window.showErrorMessage(wordsOf(error));
      }
    };
    context.subscriptions.push(vscode.commands.registerCommand(`headway.${name}`, run));
  }
  // What waits from the last time is sent once the window has drawn itself.
  setTimeout(
    () =>
      void session.here().then(
        () => session.changed(),
        () => session.changed(),
      ),
    0,
  );
}

/** The step that a command is meant for: as it was given, or the one that somebody looks at. */
async function withPlace(
  panels: Panels,
  given: Place | Node | undefined,
  does: (place: Place) => unknown,
): Promise<void> {
  const place = placeOf(given) ?? panels.current?.place;
  if (!place) throw new Error("Choose a step in the tree of courses first.");
  await does(place);
}

function placeOf(given: Place | Node | undefined): Place | null {
  if (!given) return null;
  if (!("kind" in given)) return given;
  return given.kind === "step" ? { course: given.course, step: given.step.id } : null;
}

async function sync(session: Session): Promise<void> {
  const { outbox } = (await session.here()).headway;
  await outbox.drain(true);
  const { state, why } = await outbox.standing();
  if (state === "saved") void vscode.window.showInformationMessage(words.unsent.none);
  else void vscode.window.showWarningMessage(why ? words.why[why] : words.unsent.title);
}

/** Lay an exercise's files out and open the first of them. */
async function openFiles(session: Session, { course, step }: Place): Promise<void> {
  const { folder, written, kept } = await prepare(session, course, step);
  if (written.length) void vscode.window.showInformationMessage(words.tests.laidOut(written.length, folder));
  if (kept.length) void vscode.window.showInformationMessage(words.tests.kept(kept));
  const found = await vscode.workspace.findFiles(new vscode.RelativePattern(folder, "**/*"), null, 100);
  const [first] = found.sort((one, other) => one.path.length - other.path.length);
  if (first) await vscode.window.showTextDocument(first);
  else void vscode.window.showInformationMessage(words.tests.noTests);
}

async function openInBrowser(session: Session, place: Place | null): Promise<void> {
  const path = place ? `/courses/${place.course}/steps/${place.step}` : "/courses";
  await vscode.env.openExternal(vscode.Uri.parse(session.server + path));
}
