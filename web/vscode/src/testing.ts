/** An exercise's own tests: its files laid out in the workspace, and its test command run in a terminal. */
import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs/promises";
import { join } from "node:path";
import type { Shape } from "@headway/sdk";
import * as vscode from "vscode";
import { checkedPath, layOut, type LaidOut } from "./folder";
import { resultOf, scoreOf, type Passed } from "./reports";
import type { Session } from "./session";
import { Tail } from "./tail";
import { percent, words } from "./words";

const OUTPUT_MAX = 10_000_000;
const UNSEEN_MAX = 500_000;
const ALLOWED = "headway.tests ";

/** The terminal of each exercise's last run, by its folder. */
const terminals = new Map<string, vscode.Terminal>();

type Test = Shape<"OutlineTest">;

/** Lay a step's files out; it throws where no folder is open, or the workspace is not trusted. */
export async function prepare(
  session: Session,
  course: string,
  step: string,
): Promise<LaidOut & { test: Test | null }> {
  // A panel asks for it as well, where no menu is in the way.
  if (!vscode.workspace.isTrusted) throw new Error(words.tests.noTrust);
  const root = vscode.workspace.workspaceFolders?.find((one) => one.uri.scheme === "file")?.uri.fsPath;
  if (!root) throw new Error(words.tests.noFolder);
  const path = `/courses/${encodeURIComponent(course)}/steps/${encodeURIComponent(step)}`;
  const { value } = await session.read<Shape<"StepShown">>(path);
  return { ...(await layOut(root, session.server, course, value)), test: value.test };
}

/** Run a step's tests in a terminal that shows them; null where the learner does not want that, or closes it before. */
export async function runTests(
  context: vscode.ExtensionContext,
  session: Session,
  course: string,
  step: string,
): Promise<Passed | null> {
  const { folder, test } = await prepare(session, course, step);
  if (!test) throw new Error(words.tests.noTests);
  if (!(await allowed(context, session.server, test))) return null;
  const report = test.report === null ? null : join(folder, ...checkedPath(test.report));
  // What an earlier run wrote says nothing of this one.
  if (report) await fs.rm(report, { force: true });
  const run = new Run(test, folder);
  const terminal = vscode.window.createTerminal({
    name: `Headway: ${step}`,
    pty: run,
    iconPath: new vscode.ThemeIcon("beaker"),
  });
  // Who runs tests again and again does not want as many terminals.
  terminals.get(folder)?.dispose();
  terminals.set(folder, terminal);
  terminal.show(true);
  const ended = await run.start();
  if (!ended) return null;
  const { code, output } = ended;
  const said = report && test.format !== "exit" ? await reportAt(report, test.report ?? "") : output;
  const passed = resultOf(test.format, said, code);
  run.say(`\r\n${words.tests.result(passed.passed, passed.total)} (${percent(scoreOf(passed))})\r\n`);
  return passed;
}

async function reportAt(path: string, name: string): Promise<string> {
  const text = await fs.readFile(path, "utf8").catch(() => null);
  if (text === null || text.length > OUTPUT_MAX) throw new Error(words.tests.noReport(name));
  return text;
}

/** Whether this command may run here: the learner is asked once for each of a server's. */
async function allowed(context: vscode.ExtensionContext, server: string, test: Test): Promise<boolean> {
  const command = test.command.join(" ");
  const key = `${ALLOWED}${server} ${JSON.stringify(test.command)}`;
  if (context.workspaceState.get(key)) return true;
  const picked = await vscode.window.showWarningMessage(words.tests.ask(command), { modal: true }, words.tests.run);
  if (picked !== words.tests.run) return false;
  await context.workspaceState.update(key, true);
  return true;
}

interface Ended {
  readonly code: number;
  readonly output: string;
}

/**
 * A run of a command as a terminal shows it: without a shell, and without the key to the learner's account.
 * It does not wait for the terminal, which some editors open late or not at all: what was said before is shown then.
 */
class Run implements vscode.Pseudoterminal {
  private readonly writer = new vscode.EventEmitter<string>();
  readonly onDidWrite = this.writer.event;
  private readonly ended: Promise<Ended | null>;
  private end!: (how: Ended | null) => void;
  private fail!: (error: Error) => void;
  private child: ChildProcess | null = null;
  private output = "";
  /** What is to be shown once the terminal is open; null from then on. */
  private unseen: Tail | null = new Tail(UNSEEN_MAX, words.tests.cut);

  constructor(
    private readonly test: Test,
    private readonly folder: string,
  ) {
    this.ended = new Promise((end, fail) => {
      this.end = end;
      this.fail = fail;
    });
  }

  say(text: string): void {
    if (this.unseen) this.unseen.add(text);
    else this.writer.fire(text);
  }

  open(): void {
    const said = this.unseen?.text();
    this.unseen = null;
    if (said) this.writer.fire(said);
  }

  /** Run the command: how it ended, or null where the terminal was closed before. */
  start(): Promise<Ended | null> {
    const [command = "", ...given] = this.test.command;
    this.say(`$ ${this.test.command.join(" ")}\r\n`);
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== "HEADWAY_TOKEN"));
    const child = (this.child = spawn(command, given, { cwd: this.folder, env, stdio: ["ignore", "pipe", "pipe"] }));
    const timer = setTimeout(() => {
      this.fail(new Error(words.tests.slow(this.test.timeout_s)));
      child.kill("SIGKILL");
    }, this.test.timeout_s * 1000);
    // As text: a letter may come in two pieces.
    child.stdout.setEncoding("utf8").on("data", (text: string) => this.heard(text, true));
    child.stderr.setEncoding("utf8").on("data", (text: string) => this.heard(text, false));
    child.on("error", (error) => this.fail(new Error(words.tests.cannot(command, error.message))));
    child.on("close", (code) => {
      clearTimeout(timer);
      this.end({ code: code ?? 1, output: this.output });
    });
    return this.ended;
  }

  /** The terminal was closed: its tests have nobody to show anything to. */
  close(): void {
    this.child?.kill("SIGKILL");
    this.end(null);
  }

  private heard(text: string, isOutput: boolean): void {
    if (isOutput && this.output.length < OUTPUT_MAX) this.output += text;
    this.say(text.replace(/\r?\n/g, "\r\n"));
  }
}
