/** A step in a panel: its text and prompt, an answer form by grader, and what became of the answer. */
import { randomBytes } from "node:crypto";
import type { CourseShown, ModuleShown, Outcome, Shape, StepRef, StepShown } from "@headway/sdk";
import { micromark } from "micromark";
import * as vscode from "vscode";
import { runTests } from "./testing";
import { scoreOf, type Passed } from "./reports";
import { wordsOf, type Session } from "./session";
import { courseShown } from "./tree";
import { said, words } from "./words";
import type { Asked, Shown } from "./webview/talk";

export interface Place {
  readonly course: string;
  readonly step: string;
}

const TYPE = "headway.step";

export class Panels implements vscode.Disposable {
  private readonly open = new Map<string, StepPanel>();
  private readonly subscriptions: vscode.Disposable[];

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly session: Session,
  ) {
    this.subscriptions = [
      session.onChange(() => this.open.forEach((one) => void one.refresh())),
      vscode.window.registerWebviewPanelSerializer(TYPE, {
        // A window that opens again shows the steps that it showed.
        deserializeWebviewPanel: async (panel, state: Partial<Place> | undefined) => {
          if (state?.course && state.step) this.show({ course: state.course, step: state.step }, panel);
          else panel.dispose();
        },
      }),
    ];
  }

  show(place: Place, restored?: vscode.WebviewPanel): StepPanel {
    const key = `${place.course}/${place.step}`;
    const there = this.open.get(key);
    if (there && !restored) {
      there.reveal();
      return there;
    }
    const column = vscode.window.activeTextEditor?.viewColumn ? vscode.ViewColumn.Beside : vscode.ViewColumn.Active;
    const panel = restored ?? vscode.window.createWebviewPanel(TYPE, place.step, column);
    const made = new StepPanel(this.context, this.session, place, panel);
    this.open.set(key, made);
    panel.onDidDispose(() => {
      // One that a window opened again may have its place by then.
      if (this.open.get(key) === made) this.open.delete(key);
    });
    return made;
  }

  /** The step that somebody looks at. */
  get current(): StepPanel | null {
    return [...this.open.values()].find((one) => one.isActive) ?? null;
  }

  dispose(): void {
    for (const one of this.subscriptions) one.dispose();
  }
}

export class StepPanel {
  private outcome: Outcome | null = null;
  private tested: Passed | null = null;
  private step: Shape<"OutlineStep"> | null = null;
  /** How many things are under way: a command can begin one beside that of the panel's buttons. */
  private doing = 0;
  private isClosed = false;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly session: Session,
    readonly place: Place,
    private readonly panel: vscode.WebviewPanel,
  ) {
    const roots = ["media", "dist"].map((name) => vscode.Uri.joinPath(context.extensionUri, name));
    panel.webview.options = { enableScripts: true, localResourceRoots: roots, enableForms: false };
    panel.webview.html = page(panel.webview, context.extensionUri);
    panel.iconPath = vscode.Uri.joinPath(context.extensionUri, "media", "icon.png");
    panel.onDidDispose(() => (this.isClosed = true));
    panel.webview.onDidReceiveMessage((asked: Asked) => void this.asked(asked));
  }

  get isActive(): boolean {
    return this.panel.active;
  }

  reveal(): void {
    this.panel.reveal();
  }

  async refresh(): Promise<void> {
    await this.tell(await this.shown().catch((error: unknown) => ({ kind: "trouble", text: wordsOf(error) }) as const));
  }

  /** Run the step's tests and show what came of them. */
  async test(): Promise<void> {
    const { course, step } = this.place;
    this.tested = null;
    await this.busy(async () => {
      this.tested = await runTests(this.context, this.session, course, step);
    });
  }

  /** Run the tests, and hand in what they said: of the files as they are now. */
  async submit(): Promise<void> {
    await this.test();
    const { tested } = this;
    if (tested) await this.send((of, learner) => learner.attempted(of, scoreOf(tested)));
  }

  private async asked(asked: Asked): Promise<void> {
    const doing =
      "duration_s" in asked ? { duration_s: Math.min(3600, Math.max(0, Math.round(asked.duration_s))) } : {};
    switch (asked.kind) {
      case "ready":
        return this.refresh();
      case "answer":
        return this.send((of, learner) => learner.answer(of, asked.response, doing));
      case "report":
        return this.send((of, learner) => learner.attempted(of, Math.min(1, Math.max(0, Number(asked.score))), doing));
      case "complete":
        return this.send((of, learner) => learner.completed(of, doing));
      case "test":
        return this.test();
      case "submit":
        return this.submit();
    }
  }

  private async send(
    work: (of: StepRef, headway: Awaited<ReturnType<Session["here"]>>["headway"]) => Promise<Outcome>,
  ): Promise<void> {
    const of = { ...this.place, title: this.step?.title };
    await this.busy(async () => {
      this.outcome = await this.session.do((learner) => work(of, learner.headway));
    });
  }

  private async busy(work: () => Promise<void>): Promise<void> {
    this.doing++;
    await this.tell({ kind: "busy" });
    try {
      await work();
    } catch (error) {
      void vscode.window.showErrorMessage(wordsOf(error));
    }
    this.doing--;
    await this.refresh();
  }

  private async shown(): Promise<Shown> {
    const { course, step: id } = this.place;
    const outline = await this.session.read<Shape<"Outline">>(`/courses/${encodeURIComponent(course)}`);
    const step = outline.value.modules.flatMap((one) => one.steps).find((one) => one.id === id);
    const progress = await courseShown(this.session, course);
    const within = progress.value.modules.find((one) => one.steps.some((other) => other.id === id));
    const standing = within?.steps.find((one) => one.id === id);
    if (!step || !standing || !within) throw new Error("There is no such step in the course any more.");
    this.step = step;
    this.panel.title = step.title;
    const locked = lockedBy(progress.value, within, standing);
    return {
      kind: "step",
      isBusy: this.doing > 0,
      place: this.place,
      title: step.title,
      course: outline.value.title,
      stepKind: step.kind,
      body: htmlOf(step.body, locked),
      prompt: htmlOf(step.prompt, locked),
      url: step.url,
      grader: step.grader,
      hasTests: step.test !== null,
      locked,
      standing: standsAt(standing, locked !== null, progress.stale ? progress.at : null),
      isCompleted: standing.completed,
      feedback: standing.feedback,
      outcome: this.outcome && said(this.outcome),
      tested: this.tested,
    };
  }

  private async tell(shown: Shown): Promise<void> {
    // A panel that is closed while it is read for takes nothing any more, and throws.
    if (!this.isClosed) await this.panel.webview.postMessage(shown);
  }
}

/** Markdown as HTML; nothing of a step that is locked. */
function htmlOf(text: string | null, locked: string | null): string {
  return text === null || locked !== null ? "" : micromark(text);
}

/** Until what a step is locked; null of one that is open, or was completed before. */
function lockedBy(course: CourseShown, module: ModuleShown, step: StepShown): string | null {
  if (module.status !== "locked" || step.completed) return null;
  const titles = new Map(course.modules.map((one) => [one.id, one.title]));
  return words.tree.locked(module.locked_by.flatMap((id) => titles.get(id) ?? []));
}

function standsAt(step: StepShown, isLocked: boolean, stale: Date | null): string[] {
  const said = [
    words.tree.states[isLocked ? "locked" : step.status] ?? step.status,
    step.attempts ? words.tree.attempts(step.attempts, step.best_score) : "",
    step.unsent ? words.tree.unsent : "",
    stale ? words.tree.stale(stale) : "",
  ];
  return said.filter(Boolean);
}

/** The document: one script and one style of the extension's, and nothing from anywhere else. */
function page(webview: vscode.Webview, extension: vscode.Uri): string {
  const nonce = randomBytes(16).toString("base64");
  const at = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(extension, name)).toString();
  const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${at("media/step.css")}">
<title>Headway</title>
</head>
<body>
<main aria-busy="true"></main>
<script nonce="${nonce}" src="${at("dist/step.js")}"></script>
</body>
</html>`;
}
