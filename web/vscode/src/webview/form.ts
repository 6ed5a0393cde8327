/** The inputs that a grader's type asks for, and what is answered with them. */

export interface Form {
  readonly element: HTMLElement;
  /** The answer; undefined where there is none yet. */
  answer(): unknown;
}

type Words = Readonly<Record<string, string>>;

export function make(name: string, text = "", className = ""): HTMLElement {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** The form of a grader. */
export function formOf(grader: Readonly<Record<string, unknown>>): Form {
  const type = String(grader["type"]);
  const options = Object.entries((grader["options"] ?? {}) as Words);
  if (type === "choice") return chosen(options, "radio");
  if (type === "multiple") return chosen(options, "checkbox");
  if (type === "order") return ordered((grader["items"] ?? {}) as Words);
  return written(type, Boolean(grader["case_sensitive"]));
}

function chosen(options: readonly (readonly [string, string])[], kind: "radio" | "checkbox"): Form {
  const element = make("fieldset");
  element.append(make("legend", kind === "radio" ? "Choose one" : "Choose all that apply"));
  const inputs = options.map(([key, label]) => {
    const input = document.createElement("input");
    Object.assign(input, { type: kind, name: "answer", value: key });
    const line = make("label", "", "option");
    line.append(input, make("span", label));
    element.append(line);
    return input;
  });
  const answer = () => {
    const keys = inputs.filter((input) => input.checked).map((input) => input.value);
    if (!keys.length) return undefined;
    return kind === "radio" ? keys[0] : keys;
  };
  return { element, answer };
}

/** An order is an answer from the start: it may be right as it is. */
function ordered(items: Words): Form {
  const element = make("fieldset");
  const list = make("ol", "", "order");
  const told = make("p", "", "unseen");
  told.role = "status";
  let order = Object.keys(items);
  const move = (key: string, by: number) => {
    const place = order.indexOf(key);
    const next = order.filter((one) => one !== key);
    next.splice(place + by, 0, key);
    order = next;
    told.textContent = `${items[key] ?? key}: place ${place + by + 1} of ${order.length}`;
    draw(`${key} ${by}`);
  };
  const button = (key: string, by: number, isOff: boolean) => {
    const made = document.createElement("button");
    Object.assign(made, { type: "button", textContent: by < 0 ? "↑" : "↓", disabled: isOff });
    made.ariaLabel = `Move ${items[key] ?? key} ${by < 0 ? "up" : "down"}`;
    made.dataset["move"] = `${key} ${by}`;
    made.addEventListener("click", () => move(key, by));
    return made;
  };
  const draw = (focused = "") => {
    const lines = order.map((key, place) => {
      const line = make("li");
      line.append(
        make("span", items[key] ?? key),
        button(key, -1, place === 0),
        button(key, 1, place === order.length - 1),
      );
      return line;
    });
    list.replaceChildren(...lines);
    // Whoever moves by keyboard goes on from where they are; at the end the other button is left.
    const found = [...list.querySelectorAll<HTMLButtonElement>("button")];
    const same = found.find((one) => one.dataset["move"] === focused);
    const other = found.find((one) => one.dataset["move"]?.startsWith(`${focused.split(" ")[0]} `) && !one.disabled);
    if (focused) (same && !same.disabled ? same : other)?.focus();
  };
  draw();
  element.append(make("legend", "Put these in order"), list, told);
  return { element, answer: () => order };
}

function written(type: string, caseMatters: boolean): Form {
  const element = make("div", "", "field");
  const input = document.createElement(type === "manual" || !KNOWN[type] ? "textarea" : "input");
  input.id = "answer";
  input.autocomplete = "off";
  input.spellcheck = type === "manual";
  if (input instanceof HTMLTextAreaElement)
    Object.assign(input, { rows: type === "manual" ? 9 : 3, maxLength: 60_000 });
  else input.inputMode = type === "number" ? "decimal" : "text";
  const label = make("label", KNOWN[type] ?? "Your answer, as text or JSON") as HTMLLabelElement;
  label.htmlFor = "answer";
  element.append(label, input);
  if (caseMatters) element.append(make("p", "Upper and lower case matter.", "soft"));
  const answer = () => {
    if (!input.value.trim()) return undefined;
    return KNOWN[type] ? input.value : parsed(input.value);
  };
  return { element, answer };
}

const KNOWN: Words = {
  text: "Your answer",
  regex: "Your answer",
  number: "Your answer, a number",
  manual: "Your text",
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
