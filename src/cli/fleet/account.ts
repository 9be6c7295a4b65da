import { compare, type Fates, FIGURES, NO_PLAYS, type SumsByDevice, total } from "./books.ts";
import type { Standing } from "./fleet.ts";

export interface AccountInput extends Standing {
  fates: Fates;
  /** What the server's report says; null where it cannot be asked. */
  recorded: SumsByDevice | null;
}

/** The account of a run: the same in every reader's words, and what is wrong with it. */
export interface Account {
  lines: string[];
  /** Empty: the books are equal. */
  differences: string[];
}

/**
 * Closes the books: every play that was made is accepted, refused, lost with its player's storage or still queued, and the
 * server's report has, device by device and status by status, what the players' books say. What is still queued may or may
 * not be in the report. Pure.
 */
export function closeBooks(input: AccountInput): Account {
  const { fates, queued, recorded, refusals } = input;
  const { accepted, contradictory, lost, made, refused } = fates;
  const differences: string[] = [];
  const sum = accepted + refused + lost + queued;
  if (made !== sum) differences.push(`made ${made}, and accepted + refused + lost + queued ${sum}`);
  if (contradictory > 0) differences.push(`${contradictory} plays came to two ends`);
  if (recorded === null) differences.push("the server's report could not be read");
  else if (queued === 0) {
    const foreseen = compare(input.expected, input.acknowledged, refusals);
    if (!foreseen.agree) differences.push(...foreseen.differences.map((one) => `acknowledged otherwise than booked: ${one}`));
    const reported = compare(input.expected, recorded, new Map());
    if (!reported.agree) differences.push(...reported.differences);
  } else differences.push(...outside(input.acknowledged, recorded, input.expected));
  const codes = [...refusals].map(([code, { refused }]) => `${code} ${refused}`).join(", ");
  return {
    lines: [
      `made ${made} = accepted ${accepted} + refused ${refused} + still queued ${queued} + lost with their storage ${lost}`,
      ...(codes ? [`refused, as booked: ${codes}`] : []),
      ...(recorded ? tableOf(input.expected, recorded) : []),
    ],
    differences,
  };
}

/** What of `found` lies not between `least` and `most`. */
function outside(least: SumsByDevice, found: SumsByDevice, most: SumsByDevice): string[] {
  const differences: string[] = [];
  for (const device of new Set([...least.keys(), ...found.keys()])) {
    for (const figure of FIGURES) {
      const [from, is, to] = [least, found, most].map((sums) => (sums.get(device) ?? NO_PLAYS)[figure]) as [number, number, number];
      if (is < from || is > to) differences.push(`${device} ${figure}: acknowledged ${from}, booked ${to}, recorded ${is}`);
    }
  }
  return differences;
}

function tableOf(expected: SumsByDevice, recorded: SumsByDevice): string[] {
  const [booked, found] = [total(expected), total(recorded)];
  const row = (name: string, own: string, server: string) => `  ${name.padEnd(20)}${own.padStart(14)}${server.padStart(14)}`;
  return [row("", "books", "report"), ...FIGURES.map((figure) => row(figure, String(booked[figure]), String(found[figure])))];
}
