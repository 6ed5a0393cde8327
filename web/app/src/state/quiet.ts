/** What nobody waits for: done once what the page shows was read, and the browser has nothing else to do. */
const waiting = new Set<() => void>();
/** So long after the last of what was read, nothing more is asked for. */
const QUIET_MS = 700;
/** A network that answers nothing keeps nothing up for longer. */
const LONGEST_MS = 6000;
let reads = 0;
let since = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Say that something is being read that somebody waits for; the way to say that it is there. */
export function waited(): () => void {
  reads += 1;
  let over = false;
  return () => {
    if (over) return;
    over = true;
    reads -= 1;
    plan();
  };
}

/** Do something when all is quiet; the way to call it off. */
export function whenQuiet(work: () => void): () => void {
  if (waiting.size === 0) since = Date.now();
  waiting.add(work);
  plan();
  return () => void waiting.delete(work);
}

function plan(): void {
  clearTimeout(timer);
  if (waiting.size) timer = setTimeout(look, QUIET_MS);
}

function look(): void {
  if (reads > 0 && Date.now() - since < LONGEST_MS) plan();
  else if ("requestIdleCallback" in globalThis) requestIdleCallback(step, { timeout: QUIET_MS });
  else step();
}

/** One piece at a time: each may have something read. */
function step(): void {
  const [next] = waiting;
  if (!next) return;
  waiting.delete(next);
  next();
  if (waiting.size) setTimeout(look);
}
