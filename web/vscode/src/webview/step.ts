/** The panel of a step. It draws what the extension tells, and tells what the learner does. */
import { formOf, make, type Form } from "./form";
import type { Asked, Shown, StepShown } from "./talk";

declare function acquireVsCodeApi(): { postMessage(asked: Asked): void; setState(state: unknown): void };

const editor = acquireVsCodeApi();
const main = document.querySelector("main") as HTMLElement;
let since = Date.now();
let form: Form | null = null;
let drawnFor = "";
let live: HTMLElement | null = null;

addEventListener("message", (event: MessageEvent<Shown>) => show(event.data));
editor.postMessage({ kind: "ready" });

/** Seconds since the step was opened or answered last. */
function spent(): number {
  const seconds = Math.round((Date.now() - since) / 1000);
  since = Date.now();
  return seconds;
}

function show(shown: Shown): void {
  if (shown.kind === "trouble") trouble(shown.text);
  if (shown.kind === "step") step(shown);
  const isBusy = shown.kind === "busy" || (shown.kind === "step" && shown.isBusy);
  main.ariaBusy = String(isBusy);
  for (const one of main.querySelectorAll("button")) one.toggleAttribute("data-busy", isBusy);
}

function trouble(text: string): void {
  drawnFor = "";
  const again = button("Try again", () => editor.postMessage({ kind: "ready" }));
  main.replaceChildren(make("p", text, "notice"), again);
}

function step(shown: StepShown): void {
  editor.setState(shown.place);
  // What the learner is writing stays while all around it is read again.
  const key = JSON.stringify([
    shown.place,
    shown.grader,
    shown.locked,
    shown.hasTests,
    shown.isCompleted,
    shown.course,
    shown.title,
    shown.body,
    shown.prompt,
    shown.url,
    shown.stepKind,
  ]);
  if (key !== drawnFor) draw(shown);
  drawnFor = key;
  (main.querySelector(".standing") as HTMLElement).textContent = shown.standing.join(" · ");
  outcome(shown);
}

function draw(shown: StepShown): void {
  form = null;
  live = make("div");
  live.role = "status";
  const head = make("header");
  head.append(make("p", shown.course, "soft"), make("h1", shown.title), make("p", "", "standing soft"));
  const parts: HTMLElement[] = [head];
  if (shown.locked) parts.push(make("p", shown.locked, "notice"));
  else parts.push(...told(shown), asking(shown));
  main.replaceChildren(...parts, live);
}

function told({ body, prompt, url }: StepShown): HTMLElement[] {
  const parts = [body, prompt].filter(Boolean).map((html) => {
    const prose = make("section", "", "prose");
    // Made by micromark, which escapes all HTML; and the page's policy would run none of it.
    prose.innerHTML = html;
    return prose;
  });
  if (url && /^https?:/.test(url)) {
    const link = make("a", "Open the material") as HTMLAnchorElement;
    link.href = url;
    parts.push(link);
  }
  return parts;
}

function asking(shown: StepShown): HTMLElement {
  if (shown.grader) return answering(shown.grader);
  if (shown.hasTests) return testing();
  if (shown.stepKind === "lesson") return reading(shown.isCompleted);
  return reporting(shown.isCompleted);
}

function answering(grader: Readonly<Record<string, unknown>>): HTMLElement {
  form = formOf(grader);
  const submit = button(grader["type"] === "manual" ? "Hand in" : "Check answer", () => {
    const response = form?.answer();
    if (response === undefined) say("Answer first.");
    else editor.postMessage({ kind: "answer", response, duration_s: spent() });
  });
  // Enter in a field answers, as in any form.
  form.element.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target instanceof HTMLInputElement) submit.click();
  });
  return grouped(form.element, submit);
}

function testing(): HTMLElement {
  const test = button("Run tests", () => editor.postMessage({ kind: "test" }));
  const submit = button("Run tests and submit", () => editor.postMessage({ kind: "submit" }));
  return grouped(make("p", "The exercise's files are in your workspace.", "soft"), test, submit);
}

function reading(isCompleted: boolean): HTMLElement {
  if (isCompleted) return make("p", "Completed.", "soft");
  return grouped(button("I have read it", () => editor.postMessage({ kind: "complete", duration_s: spent() })));
}

function reporting(isCompleted: boolean): HTMLElement {
  const label = make("label", "How it went, 0 to 100 %") as HTMLLabelElement;
  label.htmlFor = "score";
  const input = document.createElement("input");
  Object.assign(input, { id: "score", type: "number", min: "0", max: "100" });
  const record = button("Record", () => {
    const score = input.value === "" ? NaN : Number(input.value) / 100;
    if (!(score >= 0 && score <= 1)) say("Give a number from 0 to 100.");
    else editor.postMessage({ kind: "report", score, duration_s: spent() });
  });
  const done = button("Mark as done", () => editor.postMessage({ kind: "complete", duration_s: spent() }));
  return grouped(label, input, record, ...(isCompleted ? [] : [done]));
}

function grouped(...parts: HTMLElement[]): HTMLElement {
  const group = make("section", "", "ask");
  group.append(...parts);
  return group;
}

function button(text: string, does: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", () => {
    if (!made.hasAttribute("data-busy")) does();
  });
  return made;
}

function say(text: string): void {
  live?.replaceChildren(make("p", text, "notice"));
}

function outcome({ outcome: told, tested, feedback }: StepShown): void {
  const parts: HTMLElement[] = [];
  if (tested) parts.push(make("p", `Tests: ${tested.passed} of ${tested.total} passed.`));
  if (told) {
    const verdict = make("div", "", `verdict ${told.tone}`);
    verdict.append(make("p", told.title, "title"), make("p", told.text));
    parts.push(verdict);
  }
  if (feedback) parts.push(make("h2", "Comment"), make("p", feedback, "said"));
  live?.replaceChildren(...parts);
}
