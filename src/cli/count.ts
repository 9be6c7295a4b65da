/** What a runner says of itself. */
export interface Counts {
  passed: number;
  failed: number;
}

/**
 * The counts of vitest's JSON report. A file that could not be run at all holds no tests and counts as one failure.
 * Null for what is no such report.
 */
export function vitestCounts(json: string): Counts | null {
  const report = parse(json) as VitestReport | null;
  if (typeof report?.numPassedTests !== "number" || typeof report.numFailedTests !== "number") return null;
  const broken = (report.testResults ?? []).filter((file) => file.status === "failed" && file.assertionResults?.length === 0).length;
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken };
}

/** Of vitest's JSON report: each test that failed, with what it said; and each file that could not be run. */
export function vitestFailures(json: string): string[] {
  const report = parse(json) as VitestReport | null;
  return (report?.testResults ?? []).flatMap(({ name = "", status, message = "", assertionResults = [] }) =>
    status === "failed" && assertionResults.length === 0
      ? [`${name}\n${message}`]
      : assertionResults
          .filter((test) => test.status === "failed")
          .map(({ fullName, failureMessages = [] }) => `${name} > ${fullName}\n${failureMessages.join("\n")}`),
  );
}

interface VitestReport {
  numPassedTests?: number;
  numFailedTests?: number;
  testResults?: {
    name?: string;
    status?: string;
    message?: string;
    assertionResults?: { status?: string; fullName?: string; failureMessages?: string[] }[];
  }[];
}

/** Of what `bun test` printed: each test that failed, with the lines that came before it since the test before, and the name of its file. */
export function bunFailures(output: string): string[] {
  const failures: string[] = [];
  let file = "";
  let lines: string[] = [];
  for (const line of output.split("\n")) {
    if (/^\S+\.test\.tsx?:$/.test(line)) file = line;
    else if (/^\d+ tests? failed:$/.test(line)) break;
    else if (/^\((pass|skip|todo)\) /.test(line)) lines = [];
    else if (line.startsWith("(fail) ")) {
      failures.push([`${file} ${line}`, ...lines].join("\n"));
      lines = [];
    }
    // Why: it comes after.
    else if (lines.length === 0 && failures.length > 0 && line.startsWith("  ^ ")) failures.push(`${failures.pop()}\n${line}`);
    else lines.push(line);
  }
  return failures;
}

/** The counts of bun's JUnit report, from its `testsuites` element; null for what is no such report. Skipped tests count as neither. */
export function junitCounts(xml: string): Counts | null {
  const [root] = /<testsuites\b[^>]*>/.exec(xml) ?? [];
  const figure = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(root ?? "")?.[1] ?? Number.NaN);
  const [tests, failures, skipped] = [figure("tests"), figure("failures"), figure("skipped")];
  if (Number.isNaN(tests) || Number.isNaN(failures)) return null;
  return { passed: tests - failures - (Number.isNaN(skipped) ? 0 : skipped), failed: failures };
}

/**
 * What a runner's report and its exit code come to together. A runner that ran nothing, or that failed without saying where,
 * has failed once.
 */
export function settleCounts(counts: Counts | null, exitCode: number): Counts {
  if (counts === null) return { passed: 0, failed: 1 };
  const silent = counts.failed === 0 && (exitCode !== 0 || counts.passed === 0);
  return silent ? { ...counts, failed: 1 } : counts;
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
