/** A binding could not be reached, or did not answer as it should: nothing that the data is to blame for. The same work may succeed later. */
export class Outage extends Error {
  override readonly name = "Outage";
}

/**
 * What D1, R2 and Durable Objects say where they cannot be reached or are held up; see "List of D1 errors", "Error handling" and "Error
 * codes" in Cloudflare's documentation. What is wrong with a statement is said in other words.
 */
const AWAY =
  /Network connection lost|Connection (?:reset|closed)|caused object to be reset|because its code was updated|D1 DB is overloaded|Cannot resolve D1 DB|exceeded timeout|internal error; reference|\((?:10001|10043|10054|10058)\)/i;
/** Wrappers, as drizzle's, are looked into no deeper. */
const MAX_CAUSES = 5;

/** Whether an error, or what caused it, says that a binding was away: a fault of the moment, not of the request or the product. */
export function isOutage(error: unknown): boolean {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth++) {
    if (cause instanceof Outage || cause.name === "TimeoutError" || AWAY.test(cause.message)) return true;
    // Set by the platform on what a Durable Object's stub throws.
    if (("retryable" in cause && cause.retryable === true) || ("overloaded" in cause && cause.overloaded === true)) return true;
    cause = cause.cause;
  }
  return false;
}

/** What SQLite says where the data itself cannot be written, however often it is tried. A missing column is no such thing: a deploy may be under way. */
const DATA_FAULT = /SQLITE_(?:CONSTRAINT|TOOBIG|MISMATCH)|constraint failed|too big|malformed JSON|datatype mismatch/i;

/** Calls a binding. What fails is an {@link Outage}, unless the message says that the data is at fault: then it is thrown as it is. */
export async function reaching<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (DATA_FAULT.test(String(error))) throw error;
    throw new Outage(`${what} cannot be reached`, { cause: error });
  }
}
