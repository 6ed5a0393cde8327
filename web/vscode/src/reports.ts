/** What the tests of an exercise said: by their exit status, as JUnit XML, or in the Test Anything Protocol. */

/** How many tests passed, of how many that were not skipped. */
export interface Passed {
  readonly passed: number;
  readonly total: number;
}

export type Format = "exit" | "junit" | "tap";

const TAG =
  /<!\[CDATA\[[\s\S]*?\]\]>|<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<(\/?)([\w:.-]+)((?:"[^"]*"|'[^']*'|[^"'<>])*?)(\/?)>/g;
const ERRORS = /\serrors\s*=\s*["'](\d+)["']/;
const TAP = /^(not )?ok\b(?:\\#|[^#\n])*(?:#\s*(skip|todo)\b)?/gim;
const PLAN = /^1\.\.(\d{1,6})\b/m;
const BAILED = /^Bail out!/im;

/** The share that passed; nothing tested is nothing passed. */
export function scoreOf({ passed, total }: Passed): number {
  return total ? passed / total : 0;
}

/** What a run of tests amounts to: its report, or what it printed, and how it ended. */
export function resultOf(format: Format, said: string, code: number): Passed {
  if (format === "exit") return { passed: code === 0 ? 1 : 0, total: 1 };
  const found = format === "junit" ? byJunit(said) : byTap(said);
  // Every test passed, and yet it says that something is wrong: a crash at the end, say.
  const isWhole = found.total > 0 && found.passed === found.total;
  return code !== 0 && isWhole ? { ...found, total: found.total + 1 } : found;
}

export function byJunit(report: string): Passed {
  if (/<!(DOCTYPE|ENTITY)/.test(report))
    throw new Error("The report defines a document type, which no test runner's does.");
  const tags = tagsOf(report);
  if (!tags.some((tag) => tag.name === "testsuite" || tag.name === "testsuites")) {
    throw new Error("The report is no JUnit XML.");
  }
  const cases = casesOf(tags).filter((one) => !one.has("skipped"));
  const failed = cases.filter((one) => one.has("failure") || one.has("error")).length;
  // What broke before there was any case, a file that cannot be imported, say, stands beside them.
  const broken = tags.map((tag) => (tag.name === "testsuite" ? Number(ERRORS.exec(tag.attributes)?.[1] ?? 0) : 0));
  return { passed: cases.length - failed, total: cases.length || broken.reduce((sum, one) => sum + one, 0) };
}

interface Tag {
  readonly name: string;
  readonly attributes: string;
  readonly isEnd: boolean;
  readonly isEmpty: boolean;
}

function tagsOf(report: string): Tag[] {
  const found = [...report.matchAll(TAG)].filter(([, , name]) => name);
  return found.map(([, end, name = "", attributes = "", empty]) => ({
    name,
    attributes,
    isEnd: Boolean(end),
    isEmpty: Boolean(empty),
  }));
}

/** Of each test case the names of what stands in it. */
function casesOf(tags: readonly Tag[]): Set<string>[] {
  const cases: Set<string>[] = [];
  let inside: Set<string> | null = null;
  for (const { name, isEnd, isEmpty } of tags) {
    if (name !== "testcase") {
      inside?.add(name);
      continue;
    }
    if (!isEnd) cases.push((inside = new Set()));
    if (isEnd || isEmpty) inside = null;
  }
  return cases;
}

export function byTap(output: string): Passed {
  const found = [...output.matchAll(TAP)].map(([, not, directive]) => ({ not, directive: directive?.toLowerCase() }));
  const leftOut = found.filter((one) => one.directive === "skip").length;
  const passed = found.filter((one) => !one.not || one.directive === "todo").length - leftOut;
  const total = Math.max(found.length, Number(PLAN.exec(output)?.[1] ?? 0)) - leftOut;
  // Those that were planned and never ran have failed, and so has all after `Bail out!`.
  return { passed, total: BAILED.test(output) ? Math.max(total, passed + 1) : total };
}
