import { describe, expect, test } from "vitest";
import { codeIn, faultOf, mayDoLater, withoutCode } from "../../src/player/given-code.ts";
import { ServerRefusal } from "../../src/sdk/http.ts";

describe("a code in the page's address", () => {
  test.each([
    ["?claim_code=BCDFGHJK", "BCDFGHJK"],
    ["?crossfade=300&claim_code=bcdf-ghjk%20", "bcdf-ghjk"],
    ["?claim_code=", null],
    ["?code=BCDFGHJK", null],
    ["", null],
  ])("%s is %s", (search, code) => {
    expect(codeIn(search)).toBe(code);
  });

  test("is taken out of it, and nothing else is", () => {
    expect(withoutCode("https://a.example/player?crossfade=300&claim_code=BCDFGHJK#x")).toBe("https://a.example/player?crossfade=300#x");
    expect(withoutCode("https://a.example/player?claim_code=BCDFGHJK")).toBe("https://a.example/player");
  });

  test.each([
    [
      404,
      "CLAIM_NOT_FOUND",
      false,
      "There is no such code. Look at it again. Use this screen's own code, or make another one in the console.",
    ],
    [
      409,
      "CLAIM_USED",
      false,
      "That code has been used: each is good for one screen. Use this screen's own code, or make another one in the console.",
    ],
    [410, "CLAIM_EXPIRED", false, "That code has expired. Use this screen's own code, or make another one in the console."],
    [429, "RATE_LIMIT_EXCEEDED", true, "in the server's words"],
    [503, "SERVICE_UNAVAILABLE", true, "in the server's words"],
    [0, "HTTP_0", true, "The server cannot be reached."],
  ])("that is refused by %i %s may do later: %s", (status, code, later, words) => {
    const error = new ServerRefusal(status, code, "in the server's words");
    expect([mayDoLater(error), faultOf(error)]).toEqual([later, words]);
  });
});
