/** What other pages embed: <headway-progress course="…"> and <headway-streak>, in one script that needs no other. */
import type { CourseProgress, Shape } from "@headway/sdk";
import { bar, card, flame, link, SHEET, text, type Part } from "./embed/card";
import { words } from "./embed/words";

const SERVER = new URL(import.meta.url).origin;
const PATIENCE_MS = 15_000;
const FRESH_MS = 60_000;
const TOKEN = /[A-Za-z0-9_-]{16,64}$/;

/** There is nothing to show, and asking again would not change that; the message is for whoever looks at the page. */
class Nothing extends Error {}

/** An element that shows what a server says of a learner: of the page's reader, or of whoever shares it. */
abstract class Embedded extends HTMLElement {
  static readonly observedAttributes = ["course", "share"];
  private asking = new AbortController();
  private last: readonly Part[] | null = null;
  private lastAt = 0;
  private isHere = false;
  private readonly again = () => void this.refresh();
  private readonly looked = () => {
    if (document.visibilityState === "visible" && Date.now() - this.lastAt > FRESH_MS) void this.refresh();
  };

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [SHEET];
  }

  connectedCallback(): void {
    this.isHere = true;
    addEventListener("online", this.again);
    document.addEventListener("visibilitychange", this.looked);
    void this.refresh();
  }

  disconnectedCallback(): void {
    this.isHere = false;
    removeEventListener("online", this.again);
    document.removeEventListener("visibilitychange", this.looked);
    this.asking.abort();
  }

  attributeChangedCallback(_: string, before: string | null, after: string | null): void {
    if (before === after || !this.isHere) return;
    this.last = null;
    void this.refresh();
  }

  /** Ask again; what is shown stays until there is an answer. */
  async refresh(): Promise<void> {
    this.asking.abort();
    const asking = (this.asking = new AbortController());
    if (!this.last) this.draw([text("note", words.loading)], true);
    try {
      const parts = await this.read((path) => this.ask(path, asking.signal));
      if (asking.signal.aborted) return;
      this.last = parts;
      this.lastAt = Date.now();
      this.draw(parts);
    } catch (error) {
      if (!asking.signal.aborted) this.failed(error);
    }
  }

  protected abstract read(ask: <T>(path: string) => Promise<T>): Promise<readonly Part[]>;

  /** The token of a shared page, given as it is or by its address; null where the reader's own progress is shown. */
  protected get token(): string | null {
    const said = this.getAttribute("share")?.trim().replace(/\/$/, "");
    if (said === undefined) return null;
    const found = TOKEN.exec(said)?.[0];
    if (!found) throw new Nothing(words.noShare);
    return found;
  }

  private async ask<T>(path: string, signal: AbortSignal): Promise<T> {
    const reply = await fetch(`${SERVER}/api/v1${path}`, {
      headers: { accept: "application/json" },
      // What is shared needs no cookie, and the reader's own is never sent from a page of another site.
      credentials: this.hasAttribute("share") ? "omit" : "same-origin",
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    if (reply.status === 404) throw new Nothing(this.hasAttribute("share") ? words.notShared : words.noCourse);
    if (!reply.ok) throw new Error(`status ${reply.status}`);
    return (await reply.json()) as T;
  }

  private failed(error: unknown): void {
    if (error instanceof Nothing) {
      this.last = null;
      this.draw([text("note", error.message)]);
      return;
    }
    const button = document.createElement("button");
    button.textContent = words.again;
    button.part.add("again");
    button.addEventListener("click", this.again);
    if (this.last) this.draw([...this.last, text("note", words.stale(new Date(this.lastAt))), button]);
    else this.draw([text("note", words.unreachable), button]);
  }

  private draw(parts: readonly Part[], isBusy = false): void {
    const drawn = card(parts);
    drawn.ariaBusy = String(isBusy);
    this.shadowRoot?.replaceChildren(drawn);
  }
}

/** Whether the reader's own progress can be shown: their cookie is for the server's own pages. */
function elsewhere(): readonly Part[] | null {
  if (location.origin === SERVER) return null;
  return [link(SERVER, words.elsewhere(new URL(SERVER).host))];
}

class Progress extends Embedded {
  protected async read(ask: <T>(path: string) => Promise<T>): Promise<readonly Part[]> {
    const course = this.getAttribute("course");
    if (!course) throw new Nothing(words.whichCourse);
    const token = this.token;
    if (token) {
      const shared = await ask<Shape<"SharedProgress">>(`/share/${token}`);
      const found = shared.courses?.find((one) => one.course === course);
      if (!found) throw new Nothing(words.courseNotShared);
      const by = words.by(shared.name);
      const isShort = found.status !== "completed" && found.percent === 100;
      return drawn(found.title, `${SERVER}/share/${token}`, found.percent, isShort ? `${words.short} ${by}` : by);
    }
    return elsewhere() ?? this.own(ask, encodeURIComponent(course));
  }

  private async own(ask: <T>(path: string) => Promise<T>, course: string): Promise<readonly Part[]> {
    const [outline, progress] = await Promise.all([
      ask<Shape<"Outline">>(`/courses/${course}`),
      ask<CourseProgress>(`/progress/courses/${course}`),
    ]);
    const steps = progress.modules.flatMap((module) => module.steps);
    const done = steps.filter((step) => step.completed).length;
    const begun = done > 0 || steps.some((step) => step.attempts > 0);
    const note = begun ? standing(progress.status, done, steps.length) : words.notBegun(steps.length);
    return drawn(outline.title, `${SERVER}/courses/${course}`, progress.percent, note);
  }
}

/** All steps may be done, and the course not completed: then it is the score of a module that lacks something. */
function standing(status: string, done: number, all: number): string {
  if (status === "completed") return words.completed;
  return done === all ? words.short : words.steps(done, all);
}

function drawn(title: string, href: string, percent: number, note: string): readonly Part[] {
  // As the web app cuts: 99.6 % is not everything. What it has for that would be a second script here.
  const whole = Math.floor(percent);
  return [link(href, title), text("value", words.percent(whole)), bar(whole, title), text("note", note)];
}

class Streak extends Embedded {
  protected async read(ask: <T>(path: string) => Promise<T>): Promise<readonly Part[]> {
    const token = this.token;
    if (token) {
      const shared = await ask<Shape<"SharedProgress">>(`/share/${token}`);
      if (!shared.streak) throw new Nothing(words.streakNotShared);
      const { current, longest } = shared.streak;
      return days(`${SERVER}/share/${token}`, current, `${words.longest(longest)} ${words.by(shared.name)}`);
    }
    return elsewhere() ?? this.own(ask);
  }

  private async own(ask: <T>(path: string) => Promise<T>): Promise<readonly Part[]> {
    const { current, longest, active_today } = await ask<Shape<"StreakProgress">>("/progress/streak");
    const note = longest === 0 ? words.noStreak : active_today ? words.longest(longest) : words.keepIt;
    return days(`${SERVER}/streak`, current, note);
  }
}

function days(href: string, current: number, note: string): readonly Part[] {
  return [flame(current > 0), link(href, words.streak), text("value", words.days(current)), text("note", note)];
}

for (const [name, element] of [
  ["headway-progress", Progress],
  ["headway-streak", Streak],
] as const) {
  // A page may load the script twice.
  if (!customElements.get(name)) customElements.define(name, element);
}
