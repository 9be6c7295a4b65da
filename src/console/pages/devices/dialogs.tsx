import { type ComponentProps, lazy, Suspense } from "react";
import type { CommandDialog as Command, MoveDialog as Move, RevokeDialog as Revoke } from "./acts.tsx";
import type { EditDevice as Edit } from "./edit.tsx";
import type { PairDialog as Pair } from "./pair.tsx";

// Dialogs are fetched when the first one opens: forms and their fields weigh more than the list.
const acts = () => import("./acts.tsx");
const LazyMove = lazy(async () => ({ default: (await acts()).MoveDialog }));
const LazyCommand = lazy(async () => ({ default: (await acts()).CommandDialog }));
const LazyRevoke = lazy(async () => ({ default: (await acts()).RevokeDialog }));
const LazyEdit = lazy(async () => ({ default: (await import("./edit.tsx")).EditDevice }));
const LazyPair = lazy(async () => ({ default: (await import("./pair.tsx")).PairDialog }));

export const MoveDialog = (props: ComponentProps<typeof Move>) => (
  <Suspense>
    <LazyMove {...props} />
  </Suspense>
);
export const CommandDialog = (props: ComponentProps<typeof Command>) => (
  <Suspense>
    <LazyCommand {...props} />
  </Suspense>
);
export const RevokeDialog = (props: ComponentProps<typeof Revoke>) => (
  <Suspense>
    <LazyRevoke {...props} />
  </Suspense>
);
export const EditDevice = (props: ComponentProps<typeof Edit>) => (
  <Suspense>
    <LazyEdit {...props} />
  </Suspense>
);
export const PairDialog = (props: ComponentProps<typeof Pair>) => (
  <Suspense>
    <LazyPair {...props} />
  </Suspense>
);
