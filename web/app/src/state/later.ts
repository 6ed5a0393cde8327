/** Work that can wait: one piece a frame, in the order asked for, so that keys and touches come in between. */
const waiting = new Set<() => void>();
/** A page that nobody looks at has no frames. */
const NO_FRAME_MS = 150;
let planned = false;

/** Do a piece of work when its turn comes. Call the result to cancel it. */
export function later(work: () => void): () => void {
  waiting.add(work);
  plan();
  return () => void waiting.delete(work);
}

function plan(): void {
  if (planned || waiting.size === 0) return;
  planned = true;
  const timer = setTimeout(() => step(frame), NO_FRAME_MS);
  // Work in the callback itself would delay the frame.
  const frame = requestAnimationFrame(() => {
    clearTimeout(timer);
    setTimeout(() => step(frame));
  });
}

function step(frame: number): void {
  cancelAnimationFrame(frame);
  planned = false;
  const [next] = waiting;
  if (!next) return;
  waiting.delete(next);
  next();
  plan();
}
