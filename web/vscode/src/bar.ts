/** The status bar: the streak, how much is unsent, and that something is wrong. */
import type { Item, Shape, Standing } from "@headway/sdk";
import * as vscode from "vscode";
import type { Session } from "./session";
import { plural, words } from "./words";

export class Bar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("headway.streak", vscode.StatusBarAlignment.Left, 1);
  private readonly subscription: vscode.Disposable;
  private streak: Shape<"StreakSummary"> | null = null;

  constructor(private readonly session: Session) {
    this.item.name = "Headway";
    this.item.command = "headway.showUnsent";
    this.subscription = session.onChange(() => void this.refresh());
    this.draw();
    this.item.show();
  }

  async refresh(): Promise<void> {
    try {
      this.streak = (await this.session.read<Shape<"Overview">>("/progress")).value.streak;
    } catch {
      this.streak = null;
    }
    this.draw();
  }

  dispose(): void {
    this.subscription.dispose();
    this.item.dispose();
  }

  private draw(): void {
    const { standing } = this.session;
    const counts = [
      ["flame", this.streak?.current ?? "–"],
      ["cloud-upload", standing?.waiting.length],
      ["warning", standing?.refused.length],
    ] as const;
    this.item.text = counts
      .flatMap(([icon, count]) => (count || icon === "flame" ? `$(${icon}) ${count}` : []))
      .join(" ");
    this.item.tooltip = this.lines(standing).join("\n");
    this.item.accessibilityInformation = { label: ["Headway", ...this.lines(standing)].join(", ") };
    const isWrong = standing?.state === "not saved" || standing?.why === "signed-out";
    this.item.backgroundColor = isWrong ? new vscode.ThemeColor("statusBarItem.warningBackground") : undefined;
  }

  private lines(standing: Standing | null): string[] {
    const lines = [this.streak ? `Streak: ${plural(this.streak.current, "day")}` : words.unreachable];
    if (this.streak && !this.streak.active_today) lines.push("Nothing done yet today");
    if (!standing) return lines;
    if (standing.notKept) lines.push(words.notKept[standing.notKept]);
    if (standing.waiting.length)
      lines.push(`${plural(standing.waiting.length, "event")} saved on this device, not sent yet`);
    if (standing.why && standing.waiting.length) lines.push(words.why[standing.why]);
    if (standing.refused.length) lines.push(`${plural(standing.refused.length, "event")} refused`);
    return lines;
  }
}

/** What waits and what was refused, and what to do about it. */
export async function showUnsent(session: Session): Promise<void> {
  const { outbox } = (await session.here()).headway;
  const standing = await outbox.standing();
  if (!standing.waiting.length && !standing.refused.length) {
    const isSaved = standing.state === "saved";
    void vscode.window.showInformationMessage(isSaved ? words.unsent.none : words.why[standing.why ?? "trouble"]);
    return;
  }
  const picked = await vscode.window.showQuickPick(listed(standing), {
    title: words.unsent.title,
    matchOnDetail: true,
  });
  if (picked?.does === "send") await outbox.drain(true);
  if (picked?.does === "forget") await outbox.forget(standing.refused.map((one) => one.item.event.id));
}

type Pick = vscode.QuickPickItem & { readonly does?: "send" | "forget" };

function listed(standing: Standing): Pick[] {
  const { waiting, refused } = standing;
  const picks: Pick[] = [];
  if (waiting.length) picks.push({ label: `$(cloud-upload) ${words.unsent.send}`, does: "send" });
  if (refused.length) picks.push({ label: `$(trash) ${words.unsent.forget}`, does: "forget" });
  for (const item of waiting) {
    picks.push({ label: titleOf(item), description: words.unsent.waits, detail: whyOf(item, standing) });
  }
  for (const { item, problem } of refused) {
    picks.push({ label: titleOf(item), description: words.unsent.refused, detail: problem.detail });
  }
  return picks;
}

function titleOf(item: Item): string {
  return item.title ?? item.event.step;
}

function whyOf(item: Item, { held, why }: Standing): string {
  if (held.includes(item)) return words.unsent.held;
  return item.waits_for?.detail ?? (why ? words.why[why] : "");
}
