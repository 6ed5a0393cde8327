/** Files that are there whole or not at all, whenever the machine stops. */
import { randomUUID } from "node:crypto";
import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import { NotKept } from "@headway/sdk";

const FULL = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
/** What is being written: nobody else names a file so, not even a course. */
const HALF = /^\.?[0-9a-f]{8}-[0-9a-f-]{27}\.half$/;
/** How many files are read or taken away at a time: one after another they wait for the disk, and all would want too many handles. */
const TOGETHER = 32;

export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | null)?.code ?? "";
}

/** A name in a folder for a file that is not finished; `sweep` takes it away where nobody else does. */
export function halfIn(folder: string): string {
  return join(folder, `.${randomUUID()}.half`);
}

/** Have a file hold this: written beside its place, on the disk, and only then put there. NotKept. */
export async function put(path: string, value: unknown, isLasting = true): Promise<void> {
  const half = halfIn(dirname(path));
  try {
    await write(half, JSON.stringify(value), isLasting);
    await fs.rename(half, path);
    if (isLasting) await synced(dirname(path));
  } catch (error) {
    await fs.rm(half, { force: true }).catch(() => undefined);
    throw notKept(error);
  }
}

async function write(path: string, text: string, isLasting: boolean): Promise<void> {
  const file = await fs.open(path, "wx", 0o600);
  try {
    await file.writeFile(text);
    if (isLasting) await file.sync();
  } finally {
    await file.close();
  }
}

/** Have a folder's list of names on the disk: a rename is not, before. Windows keeps it so by itself. */
export async function synced(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const opened = await fs.open(folder, "r");
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}

/** What a file holds; null where there is none, or nothing that can be read. */
export async function get<T>(path: string): Promise<T | null> {
  try {
    return JSON.parse(await fs.readFile(path, "utf8")) as T;
  } catch (error) {
    if (error instanceof SyntaxError || codeOf(error) === "ENOENT") return null;
    throw notKept(error);
  }
}

/** The names in a folder, in their order; none where it is not there yet. */
export async function names(folder: string): Promise<string[]> {
  try {
    return (await fs.readdir(folder)).filter((name) => name.endsWith(".json")).sort();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw notKept(error);
  }
}

/** Take files away, in no order; those that another window took before are no trouble. */
export async function remove(paths: readonly string[]): Promise<void> {
  await someAtATime(paths, (path) =>
    fs.unlink(path).catch((error: unknown) => {
      if (codeOf(error) !== "ENOENT") throw notKept(error);
    }),
  );
}

/** What work gives for each, in their order; no more than some are worked on at the same time. */
export async function someAtATime<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const found: R[] = [];
  for (let start = 0; start < all.length; start += TOGETHER) {
    found.push(...(await Promise.all(all.slice(start, start + TOGETHER).map(work))));
  }
  return found;
}

/** Take away what a write that never ended has left, an hour ago or more. */
export async function sweep(folder: string, now = Date.now()): Promise<void> {
  for (const name of await fs.readdir(folder).catch(() => [])) {
    if (!HALF.test(name)) continue;
    const path = join(folder, name);
    const found = await fs.stat(path).catch(() => null);
    if (found && now - found.mtimeMs > 3_600_000) await fs.rm(path, { force: true }).catch(() => undefined);
  }
}

export function notKept(error: unknown): Error {
  if (error instanceof NotKept) return error;
  return new NotKept(FULL.has(codeOf(error)) ? "full" : "unavailable", { cause: error });
}
