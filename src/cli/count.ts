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

interface VitestReport {
  numPassedTests?: number;
  numFailedTests?: number;
  testResults?: { status?: string; assertionResults?: unknown[] }[];
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
