/** The tree of courses, modules and steps, as the server says they stand and with what is unsent on top. */
import {
  withUnsent,
  type CourseProgress,
  type CourseShown,
  type ModuleShown,
  type Reading,
  type Shape,
  type StepShown,
} from "@headway/sdk";
import * as vscode from "vscode";
import { cut } from "@headway/sdk/words";
import { wordsOf, type Session } from "./session";
import { words } from "./words";

const COURSES_MAX = 20;

export type Node =
  | { kind: "course"; id: string; title: string; percent: number; stale: Date | null }
  | { kind: "module"; course: string; module: ModuleShown; blockers: readonly string[] }
  | { kind: "step"; course: string; step: StepShown; isLocked: boolean }
  | { kind: "said"; text: string };

export class Tree implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changes.event;
  private readonly subscription: vscode.Disposable;

  constructor(private readonly session: Session) {
    this.subscription = session.onChange(() => this.changes.fire());
  }

  dispose(): void {
    this.subscription.dispose();
    this.changes.dispose();
  }

  async getChildren(node?: Node): Promise<Node[]> {
    try {
      if (!node) return await this.courses();
      if (node.kind === "course") return await this.modules(node.id);
      return node.kind === "module" ? stepsOf(node) : [];
    } catch (error) {
      return [{ kind: "said", text: wordsOf(error) }];
    }
  }

  getTreeItem(node: Node): vscode.TreeItem {
    switch (node.kind) {
      case "course":
        return courseItem(node);
      case "module":
        return moduleItem(node);
      case "step":
        return stepItem(node);
      case "said":
        return Object.assign(new vscode.TreeItem(node.text), { iconPath: new vscode.ThemeIcon("info") });
    }
  }

  private async courses(): Promise<Node[]> {
    const [found, mine] = await Promise.all([this.listed(), this.session.read<Shape<"Overview">>("/progress")]);
    const percents = new Map(mine.value.courses.map((one) => [one.course, one.percent]));
    const stale = mine.stale ? mine.at : null;
    if (!found.length) return [{ kind: "said", text: words.tree.none }];
    return found.map(({ id, title }) => ({ kind: "course", id, title, percent: percents.get(id) ?? 0, stale }));
  }

  private async listed(): Promise<Shape<"CourseListed">[]> {
    const all: Shape<"CourseListed">[] = [];
    let cursor = "";
    for (let pages = 0; pages < COURSES_MAX; pages++) {
      const { value } = await this.session.read<Shape<"CoursePage">>(`/courses?limit=200${cursor}`);
      all.push(...value.items);
      if (!value.next_cursor) break;
      cursor = `&cursor=${encodeURIComponent(value.next_cursor)}`;
    }
    return all;
  }

  private async modules(course: string): Promise<Node[]> {
    const { value } = await courseShown(this.session, course);
    const titles = new Map(value.modules.map((one) => [one.id, one.title]));
    return value.modules.map((module) => ({
      kind: "module",
      course,
      module,
      blockers: module.locked_by.flatMap((id) => titles.get(id) ?? []),
    }));
  }
}

/** A course as the learner stands in it, with what is unsent. */
export async function courseShown(session: Session, course: string): Promise<Reading<CourseShown>> {
  const reading = await session.read<CourseProgress>(`/progress/courses/${encodeURIComponent(course)}`);
  const standing = await (await session.here()).headway.outbox.standing();
  return { ...reading, value: withUnsent(reading.value, standing.waiting) };
}

function stepsOf({ course, module }: Extract<Node, { kind: "module" }>): Node[] {
  return module.steps.map((step) => ({ kind: "step", course, step, isLocked: module.status === "locked" }));
}

function courseItem({ id, title, percent, stale }: Extract<Node, { kind: "course" }>): vscode.TreeItem {
  const item = new vscode.TreeItem(title, vscode.TreeItemCollapsibleState.Collapsed);
  item.id = id;
  item.contextValue = "course";
  item.iconPath = new vscode.ThemeIcon("book");
  item.description = [words.tree.course(cut(percent)), stale ? words.tree.stale(stale) : ""].filter(Boolean).join(", ");
  return item;
}

function moduleItem({ course, module, blockers }: Extract<Node, { kind: "module" }>): vscode.TreeItem {
  const item = new vscode.TreeItem(module.title, vscode.TreeItemCollapsibleState.Collapsed);
  item.id = `${course}/${module.id}/`;
  item.contextValue = "module";
  item.iconPath = icon(module.status, 0);
  const done = module.steps.filter((step) => step.completed).length;
  item.description = `${done}/${module.steps.length}`;
  item.tooltip = module.status === "locked" ? words.tree.locked(blockers) : words.tree.states[module.status];
  item.accessibilityInformation = { label: `${module.title}, ${item.tooltip ?? ""}, ${item.description}` };
  return item;
}

function stepItem({ course, step, isLocked }: Extract<Node, { kind: "step" }>): vscode.TreeItem {
  const item = new vscode.TreeItem(step.title);
  const state = isLocked && !step.completed ? "locked" : step.status;
  item.id = `${course}/${step.id}`;
  item.contextValue = "step";
  item.iconPath = icon(state, step.unsent);
  item.description = step.attempts && step.kind !== "lesson" ? words.tree.attempts(step.attempts, step.best_score) : "";
  item.tooltip = [words.tree.states[state] ?? state, step.unsent ? words.tree.unsent : ""].filter(Boolean).join(", ");
  item.accessibilityInformation = { label: `${step.title}, ${item.tooltip}, ${item.description}` };
  item.command = { command: "headway.openStep", title: "Open", arguments: [{ course, step: step.id }] };
  return item;
}

function icon(state: string, unsent: number): vscode.ThemeIcon {
  if (unsent) return new vscode.ThemeIcon("cloud-upload", new vscode.ThemeColor("charts.yellow"));
  if (state === "completed") return new vscode.ThemeIcon("pass-filled", new vscode.ThemeColor("charts.green"));
  if (state === "locked") return new vscode.ThemeIcon("lock", new vscode.ThemeColor("disabledForeground"));
  if (state === "open") return new vscode.ThemeIcon("circle-outline");
  return new vscode.ThemeIcon("circle-filled", new vscode.ThemeColor("charts.blue"));
}
