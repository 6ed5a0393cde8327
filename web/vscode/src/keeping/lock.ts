/** The lock of all windows: a file that says who holds it. The lock of a process that died is taken over. */
import { randomUUID } from "node:crypto";
import * as fs from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { codeOf, halfIn } from "./writing";

const BEAT_MS = 2_000;
/** A holder that has not touched its lock for so long is taken for dead, whatever has its number now. */
const DEAD_MS = 30_000;
const LOOK_MS = 25;

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly token: string;
}

export class Lock {
  private last: Promise<unknown> = Promise.resolve();
  private isHeld = false;

  constructor(private readonly path: string) {}

  /** Whether this process holds it now. */
  get held(): boolean {
    return this.isHeld;
  }

  /** Do something while nobody else holds it, here or in another process. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const next = this.last.then(() => this.holding(work));
    this.last = next.catch(() => undefined);
    return next;
  }

  private async holding<T>(work: () => Promise<T>): Promise<T> {
    const holder: Holder = { pid: process.pid, host: hostname(), token: randomUUID() };
    // Where no file can be written there is no lock. Events in memory are sent all the same: sent twice, they count once.
    await this.take(holder).catch(() => undefined);
    this.isHeld = true;
    const beat = setInterval(() => {
      const now = new Date();
      void fs.utimes(this.path, now, now).catch(() => undefined);
    }, BEAT_MS);
    beat.unref();
    try {
      return await work();
    } finally {
      clearInterval(beat);
      this.isHeld = false;
      await this.giveBack(holder);
    }
  }

  private async take(holder: Holder): Promise<void> {
    // Written first and then linked, so that a lock always says who holds it.
    const own = halfIn(dirname(this.path));
    try {
      await fs.writeFile(own, JSON.stringify(holder), { mode: 0o600 });
      while (!(await linked(own, this.path))) {
        await this.takeOver();
        await new Promise((done) => setTimeout(done, LOOK_MS));
      }
    } finally {
      await fs.rm(own, { force: true }).catch(() => undefined);
    }
  }

  /** Take a dead holder's lock away. */
  private async takeOver(): Promise<void> {
    const found = await saidOf(this.path);
    if (found === null || !(await isDead(found, this.path))) return;
    const aside = halfIn(dirname(this.path));
    try {
      await fs.rename(this.path, aside);
    } catch {
      return;
    }
    // Another window has taken the lock over first, and this is its lock: put it back.
    if ((await saidOf(aside)) !== found) await linked(aside, this.path);
    await fs.rm(aside, { force: true });
  }

  private async giveBack(holder: Holder): Promise<void> {
    const found = await saidOf(this.path);
    if (found !== null && holderIn(found)?.token === holder.token)
      await fs.rm(this.path, { force: true }).catch(() => undefined);
  }
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await fs.link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** What a lock says; null where there is none. */
async function saidOf(path: string): Promise<string | null> {
  return fs.readFile(path, "utf8").catch(() => null);
}

function holderIn(said: string): Holder | null {
  try {
    return JSON.parse(said) as Holder;
  } catch {
    return null;
  }
}

async function isDead(said: string, path: string): Promise<boolean> {
  const holder = holderIn(said);
  // Only a power cut leaves an empty lock, and its holder is gone too.
  if (!holder) return true;
  const found = await fs.stat(path).catch(() => null);
  if (found && Date.now() - found.mtimeMs > DEAD_MS) return true;
  return holder.host === hostname() && !isRunning(holder.pid);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}
