/** A number from a variable of `wrangler.toml`; the default where it is unset or none. */
export function numberVar(value: string | undefined, byDefault: number): number {
  const number = Number(value ?? "");
  return value === undefined || value.trim() === "" || !Number.isFinite(number) || number < 0 ? byDefault : number;
}
