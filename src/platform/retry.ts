/** The work took longer than it may. Whether it was done all the same is not known. */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError";
}

/**
 * The work's result, or {@link TimeoutError} after `ms`. The work itself goes on: what it does must be safe to do twice.
 */
export async function withTimeout<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimeoutError(`${what} took over ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
