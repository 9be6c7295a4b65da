/** A binding could not be reached, or did not answer as it should: nothing that the data is to blame for. The same work may succeed later. */
export class Outage extends Error {
  override readonly name = "Outage";
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
