/** Something that is asked of the server by a button: under way, refused with its reason, or done.
 *
 * While it is under way its button says `aria-disabled`: one that is `disabled` would lose the focus of whoever pressed it. */
import { Refusal } from "@headway/sdk";
import { t } from "../words/en";
import { sentence } from "../words/said";
import { session } from "./session.svelte";

export class Doing {
  busy = $state(false);
  wrong = $state("");
  faults = $state.raw<Readonly<Record<string, string>>>({});

  /** Do it, and say so; whether it was done. Pressed again meanwhile, it is not done twice. */
  async run(work: () => Promise<unknown>, done = ""): Promise<boolean> {
    if (this.busy) return false;
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
    this.wrong = sentence(error.message);
    this.faults = Object.fromEntries((error.problem.errors ?? []).map((one) => [one.field, one.message]));
  }
}
