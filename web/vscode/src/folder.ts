/** A course's folder in the workspace, as `headway start` lays it out: a folder for each step with files. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import type { Shape } from "@headway/sdk";
import { Lock } from "./keeping/lock";
import { halfIn, sweep } from "./keeping/writing";

const MARK = ".headway.json";
// As the server has it. It is checked here again: what a server sends is written to this machine.
const SLUG = /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/;
const PART = /^[A-Za-z0-9_]([A-Za-z0-9_.+-]*[A-Za-z0-9_+-])?$/;
const DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$/i;

export interface LaidOut {
  readonly folder: string;
  readonly written: readonly string[];
  readonly kept: readonly string[];
}

/** The locks of courses, by their folders. */
const locks = new Map<string, Lock>();

/** Write a step's files where they are not yet; what the learner changed is kept. */
export async function layOut(root: string, server: string, course: string, step: Shape<"StepShown">): Promise<LaidOut> {
  const home = join(root, checkedName(course));
  const folder = join(home, checkedName(step.id));
  await fs.mkdir(folder, { recursive: true });
  await noLinks(root, [course, step.id]);
  const lock = locks.get(home) ?? new Lock(join(home, `${MARK}.lock`));
  locks.set(home, lock);
  // One window after another: all steps of a course are told in one mark.
  return lock.alone(async () => {
    const laidOut = await filesIn(folder, step);
    await mark(home, server, course, step);
    // What a window that was killed has left.
    for (const one of [home, folder]) await sweep(one);
    return laidOut;
  });
}

async function filesIn(folder: string, step: Shape<"StepShown">): Promise<LaidOut> {
  const [written, kept]: [string[], string[]] = [[], []];
  for (const [path, text] of Object.entries(step.files)) {
    const parts = checkedPath(path);
    await noLinks(folder, parts);
    const target = join(folder, ...parts);
    const there = await fs.readFile(target, "utf8").catch(() => null);
    if (there !== null) {
      if (there !== text) kept.push(path);
      continue;
    }
    await fs.mkdir(join(target, ".."), { recursive: true });
    await put(folder, target, text);
    written.push(path);
  }
  return { folder, written, kept };
}

/** Say in the folder what it is, so that the command line knows it too. */
async function mark(home: string, server: string, course: string, step: Shape<"StepShown">): Promise<void> {
  const path = join(home, MARK);
  const old = await fs.readFile(path, "utf8").then(parsed, () => ({}) as Partial<Marked>);
  const isSame = old.server === server && old.course === course;
  const steps = [...new Set([...((isSame && old.steps) || []), step.id])].sort();
  const tests = { ...((isSame && old.tests) || {}), ...(step.test ? { [step.id]: step.test } : {}) };
  await put(home, path, `${JSON.stringify({ server, course, steps, tests }, null, 2)}\n`);
}

/** Have a file within a folder hold this, whole or not at all: half of one would be taken for what the learner made of it. */
async function put(folder: string, path: string, text: string): Promise<void> {
  const half = halfIn(folder);
  try {
    await fs.writeFile(half, text, { flag: "wx", flush: true });
    await fs.rename(half, path);
  } catch (error) {
    await fs.rm(half, { force: true });
    throw error;
  }
}

interface Marked {
  server: string;
  course: string;
  steps: string[];
  tests: Record<string, unknown>;
}

function parsed(text: string): Partial<Marked> {
  try {
    return JSON.parse(text) as Partial<Marked>;
  } catch {
    return {};
  }
}

/** The parts of a path within a step's folder; it throws where it would lead out of it. */
export function checkedPath(path: string): string[] {
  const parts = path.split("/");
  if (path.length > 200 || !parts.every((part) => PART.test(part) && !DEVICE.test(part))) {
    throw new Error(`The course has a file of the path “${path.slice(0, 200)}”, which is not written here.`);
  }
  return parts;
}

function checkedName(name: string): string {
  if (!SLUG.test(name) || name.length > 200 || DEVICE.test(name)) throw new Error(`“${name.slice(0, 200)}” is no id.`);
  return name;
}

/** A link within the folder may lead anywhere. */
async function noLinks(folder: string, parts: readonly string[]): Promise<void> {
  let path = folder;
  for (const part of parts) {
    path = join(path, part);
    const found = await fs.lstat(path).catch(() => null);
    if (found?.isSymbolicLink()) throw new Error(`${path} is a link; what it leads to is not written.`);
  }
}
