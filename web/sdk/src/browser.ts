/** Headway in a browser: cookies say who one is, IndexedDB or localStorage keep what is unsent. */
import { Headway } from "./client";
import { IndexedStore } from "./indexed";
import { LocalStore } from "./local";
import { nowhere } from "./memory";
import type { Store } from "./store";
import { transport } from "./transport";

/** The client of this page, started. It sends again when the network is back and when somebody looks at the page. */
export async function inBrowser(): Promise<Headway> {
  const headway = new Headway(await bestStore(), transport());
  window.addEventListener("online", () => void headway.outbox.drain(true));
  // Somebody may have signed in or out meanwhile, on a page that sends no message to this one.
  const back = () => {
    if (document.visibilityState !== "visible") return;
    headway.doubt();
    void headway.outbox.drain();
  };
  document.addEventListener("visibilitychange", back);
  window.addEventListener("focus", back);
  await headway.start();
  return headway;
}

/** Ask the browser not to throw away what is kept here when it runs out of room. */
export async function askToKeep(): Promise<void> {
  await navigator.storage?.persist?.().catch(() => false);
}

async function bestStore(): Promise<Store> {
  try {
    return await IndexedStore.open();
  } catch {
    return hasLocalStorage() ? new LocalStore() : nowhere;
  }
}

function hasLocalStorage(): boolean {
  try {
    localStorage.setItem("headway/probe", "1");
    localStorage.removeItem("headway/probe");
    return true;
  } catch {
    return false;
  }
}
