import { expect, test } from "vitest";
import { rangeOf } from "../../src/platform/range.ts";

test.each([
  ["bytes=0-99", { first: 0, last: 99 }],
  ["bytes=0-0", { first: 0, last: 0 }],
  ["bytes=999-", { first: 999, last: 999 }],
  ["bytes=500-5000", { first: 500, last: 999 }],
  ["bytes=-100", { first: 900, last: 999 }],
  ["bytes=-5000", { first: 0, last: 999 }],
  ["Bytes= 0-9", { first: 0, last: 9 }],
  ["bytes=1000-", "unsatisfiable"],
  ["bytes=1000-2000", "unsatisfiable"],
  ["bytes=-0", "unsatisfiable"],
  ["bytes=10-5", "whole"],
  ["bytes=-", "whole"],
  ["bytes=0-1,5-6", "whole"],
  ["lines=0-1", "whole"],
  ["bytes=0x1-5", "whole"],
  ["bytes=9999999999999999-", "whole"],
  [undefined, "whole"],
])("of 1000 bytes, %s asks for %o", (header, range) => {
  expect(rangeOf(header, 1000)).toEqual(range);
});

test("of an empty file nothing can be asked but the whole", () => {
  expect(rangeOf("bytes=0-", 0)).toBe("unsatisfiable");
  expect(rangeOf("bytes=-1", 0)).toBe("unsatisfiable");
});
