import { asApiError } from "./error.ts";

const AT_ONCE = 6;

/** What became of doing one thing to many. */
export interface Outcome<T> {
  done: T[];
  failed: { item: T; message: string }[];
}

/** Does something to each of many, six at once; one that fails does not stop the others. `onStep` hears how many are through. */
export async function toEach<T>(
  items: T[],
  act: (item: T) => Promise<unknown>,
  onStep: (through: number) => void = () => {},
): Promise<Outcome<T>> {
  const outcome: Outcome<T> = { done: [], failed: [] };
  let next = 0;
  const work = async () => {
    while (next < items.length) {
      const item = items[next++] as T;
      try {
        await act(item);
        outcome.done.push(item);
      } catch (error) {
        outcome.failed.push({ item, message: asApiError(error).message });
      }
      onStep(outcome.done.length + outcome.failed.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, work));
  return outcome;
}
