/** Everything that the app says, in English, by area. Another language is other files of these shapes. */
import { entering } from "./entering";
import { frame } from "./frame";
import { learning } from "./learning";
import { notify } from "./notify";
import { operate } from "./operate";
import { plural } from "./plural";
import { settings } from "./settings";
import { standing } from "./standing";
import { teach } from "./teach";

export const t = {
  name: "Headway",
  skip: "Skip to the content",
  ...frame,
  ...entering,
  ...learning,
  ...standing,
  settings,
  teach,
  operate,
  notify,
  percent: (percent: number) => `${percent}\u00a0%`,
  steps: (count: number) => plural(count, "step"),
};
