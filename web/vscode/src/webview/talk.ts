/** What the panel and the extension tell each other. */

/** From the extension: what to show. */
export type Shown =
  | { kind: "busy" }
  | { kind: "trouble"; text: string }
  | {
      kind: "step";
      /** Whether something is still under way, of which this is not the end. */
      isBusy: boolean;
      place: { course: string; step: string };
      title: string;
      course: string;
      stepKind: string;
      /** HTML that was made of Markdown, in which all HTML was escaped. */
      body: string;
      prompt: string;
      url: string | null;
      grader: Readonly<Record<string, unknown>> | null;
      hasTests: boolean;
      locked: string | null;
      standing: readonly string[];
      isCompleted: boolean;
      feedback: string | null;
      outcome: { tone: string; title: string; text: string } | null;
      tested: { passed: number; total: number } | null;
    };

export type StepShown = Extract<Shown, { kind: "step" }>;

/** From the panel: what the learner does. */
export type Asked =
  | { kind: "ready" }
  | { kind: "answer"; response: unknown; duration_s: number }
  | { kind: "report"; score: number; duration_s: number }
  | { kind: "complete"; duration_s: number }
  | { kind: "test" }
  | { kind: "submit" };
