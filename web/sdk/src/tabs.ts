/** What the tabs of one browser share: a lock, and what they tell one another. */

const NAME = "headway-outbox";

/** Hold the lock of all tabs; where the browser has none, that of this one. */
export function tabLock(): <T>(work: () => Promise<T>) => Promise<T> {
  if (navigator.locks) {
    return async <T>(work: () => Promise<T>): Promise<T> => {
      let done!: T;
      await navigator.locks.request(NAME, async () => {
        done = await work();
      });
      return done;
    };
  }
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work, work);
    last = next.catch(() => undefined);
    return next;
  };
}

export interface Channel {
  tell(message: unknown): void;
  hear(heard: (message: unknown) => void): () => void;
}

export function tabChannel(): Channel {
  if (typeof BroadcastChannel === "undefined") return { tell: () => undefined, hear: () => () => undefined };
  const channel = new BroadcastChannel(NAME);
  return {
    tell: (message) => channel.postMessage(message),
    hear: (heard) => {
      const on = (event: MessageEvent) => heard(event.data);
      channel.addEventListener("message", on);
      return () => channel.removeEventListener("message", on);
    },
  };
}
