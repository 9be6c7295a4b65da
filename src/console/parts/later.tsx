import { type ComponentType, lazy, Suspense } from "react";

/**
 * A part that is fetched when it is first shown, such as the dialog of a button: forms and their fields weigh more than the lists that
 * they are opened from. Nothing stands there meanwhile. `load` imports it: `later(async () => (await import("./form.tsx")).TheForm)`.
 */
export function later<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  const Part = lazy(async () => ({ default: await load() })) as unknown as ComponentType<Props>;
  // biome-ignore lint/correctness/noComponentHookFactories: called once, where modules are made
  return function Later(props: Props) {
    return (
      <Suspense>
        <Part {...props} />
      </Suspense>
    );
  };
}
