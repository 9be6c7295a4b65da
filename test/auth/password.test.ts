import { describe, expect, test } from "vitest";
import { hashPassword, isPassword, passwordFault } from "../../src/auth/password.ts";

// Made by Python's hashlib.scrypt(password, salt=bytes(range(16)), n=2**15, r=8, p=3, dklen=32, maxmem=2**26).
const KNOWN = "scrypt$32768$8$3$AAECAwQFBgcICQoLDA0ODw==$ZwXboEbK+6uo3pibyojgA4zgNULQwM2WqPlWpy+G7mc=";

describe("what is kept of a password", () => {
  test("is scrypt with the cost that is meant, and a salt of its own", async () => {
    const [one, two] = [await hashPassword("correct horse battery staple"), await hashPassword("correct horse battery staple")];
    expect(one).toMatch(/^scrypt\$32768\$8\$3\$[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=$/);
    expect(one).not.toBe(two);
    expect(await isPassword("correct horse battery staple", one)).toBe(true);
    expect(await isPassword("correct horse battery stapl", one)).toBe(false);
  });

  test("is what others make of it", async () => {
    expect(await isPassword("correct horse battery staple", KNOWN)).toBe(true);
    expect(await isPassword("Correct horse battery staple", KNOWN)).toBe(false);
  });

  test("is the same however an accent is typed", async () => {
    const kept = await hashPassword("caf\u00e9 caf\u00e9 caf\u00e9");
    expect(await isPassword("cafe\u0301 cafe\u0301 cafe\u0301", kept)).toBe(true);
  });

  test.each(["", "scrypt", "bcrypt$1$2$3$4$5", "scrypt$32768$8$3$$"])("opens nothing where it is %j", async (kept) => {
    expect(await isPassword("", kept)).toBe(false);
  });
});

describe("a password that fits", () => {
  const owner = { email: "ann.nguyen@acme.example", name: "Ann Nguyen" };

  test.each([
    ["elevenchars", "must have 12 characters at least"],
    ["abcabcabcabcabc", "must not be one character over and over"],
    ["x".repeat(129), "may have 128 characters at most"],
    ["Nguyen123456", "must not be made of your e-mail address or name"],
    ["acme-2026-2026", "must not be made of your e-mail address or name"],
    ["nguyennguyennguyen", "must not be made of your e-mail address or name"],
  ])("is not %j", (password, fault) => {
    expect(passwordFault(password, owner)).toBe(fault);
  });

  test.each(["correct horse battery staple", "twelve chars", "Nguyen likes long walks at the sea", "ann 4711 4711 x", "пароль из слов"])(
    "is %j",
    (password) => {
      expect(passwordFault(password, owner)).toBeNull();
    },
  );
});
