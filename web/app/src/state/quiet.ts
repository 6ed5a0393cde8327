/** Work that nobody waits for: done after the page has read what it shows, while the browser is idle. */
const waiting = new Set<() => void>();
/** A page that has read nothing for so long has read all that it shows. */
const QUIET_MS = 700;
/** The work begins after so long even if reads still wait for the network. */
const LONGEST_MS = 6000;
let reads = 0;
let since = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Say that a read has begun that somebody waits for. Call the result when it has ended. */
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

/** Do something when all is quiet. Call the result to cancel it. */
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

/** One piece at a time: each may begin further reads. */
function step(): void {
  const [next] = waiting;
  if (!next) return;
  waiting.delete(next);
  next();
  if (waiting.size) setTimeout(look);
}
