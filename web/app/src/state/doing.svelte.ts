/** Something that is asked of the server by a button: under way, refused with its reason, or done. */
import { Refusal } from "@headway/sdk";
import { t } from "../words/en";
import { session } from "./session.svelte";

export class Doing {
  busy = $state(false);
  wrong = $state("");
  faults = $state.raw<Readonly<Record<string, string>>>({});

  /** Do it, and say so; whether it was done. */
  async run(work: () => Promise<unknown>, done = ""): Promise<boolean> {
    this.busy = true;
    this.wrong = "";
    this.faults = {};
    try {
      await work();
      if (done) session.say(done, "good");
      return true;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.fail(error);
      return false;
    } finally {
      this.busy = false;
    }
  }

  private fail(error: Error): void {
    if (!(error instanceof Refusal)) {
      this.wrong = `${t.states.unreachable}. ${t.states.unreachableLead}`;
      return;
    }
    const said = error.message;
    this.wrong = `${said.charAt(0).toUpperCase()}${said.slice(1)}${/[.!?]$/.test(said) ? "" : "."}`;
    this.faults = Object.fromEntries((error.problem.errors ?? []).map((one) => [one.field, one.message]));
  }
}
