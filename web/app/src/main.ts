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
// The requests are under way; drawing the frame of the pages is a task of its own.
setTimeout(() => {
  mount(App, { target: document.getElementById("app") as HTMLElement });
  // Until the server says who is here there is nothing to draw: use the time.
  PREPARED.forEach(later);
});

// Without a network the pages come from what this keeps.
if ("serviceWorker" in navigator && import.meta.env.PROD) {
  // It fetches every file of the app: not before the page has what it shows.
  whenQuiet(() => void navigator.serviceWorker.register("/worker.js").catch(() => undefined));
}
