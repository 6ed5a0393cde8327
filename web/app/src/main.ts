import { mount } from "svelte";
import App from "./App.svelte";
import { router } from "./state/router.svelte";
import { session } from "./state/session.svelte";
import "./style.css";

router.start();
void session.start();
mount(App, { target: document.getElementById("app") as HTMLElement });

// Without a network the pages come from what this keeps.
if ("serviceWorker" in navigator && import.meta.env.PROD) {
  addEventListener("load", () => void navigator.serviceWorker.register("/worker.js").catch(() => undefined));
}
