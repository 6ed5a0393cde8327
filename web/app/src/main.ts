import { mount } from "svelte";
import App from "./App.svelte";
import { keepFocus } from "./state/focus";
import { later } from "./state/later";
import { whenQuiet } from "./state/quiet";
import { router } from "./state/router.svelte";
import { session } from "./state/session.svelte";
import { PREPARED } from "./words/said";
import "./style.css";

router.start();
keepFocus();
void session.start();
// The network is busy by now; the frame of the pages is a task of its own.
setTimeout(() => {
  mount(App, { target: document.getElementById("app") as HTMLElement });
  // Nothing is there yet to be shown: who one is is on its way.
  PREPARED.forEach(later);
});

// Without a network the pages come from what this keeps.
if ("serviceWorker" in navigator && import.meta.env.PROD) {
  // It fetches all there is: not while somebody waits for what the page shows.
  whenQuiet(() => void navigator.serviceWorker.register("/worker.js").catch(() => undefined));
}
