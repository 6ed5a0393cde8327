/** What is put on the clipboard, which a browser may refuse, and gives no page without https. */
import { t } from "../words/en";
import { session } from "./session.svelte";

/** Copy a text, and say whether that was done. */
export async function copy(text: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    session.say(done, "good");
  } catch {
    session.say(t.states.notCopied, "wrong");
  }
}
