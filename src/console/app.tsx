import { MantineProvider, Stack } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Route, Router, Switch } from "wouter";
import { SignInPage } from "./account/sign-in-page.tsx";
import { useMeQuery } from "./api/me.ts";
import { queryClient } from "./api/query.ts";
import { Frame } from "./frame/frame.tsx";
import { FrameSkeleton } from "./frame/frame-skeleton.tsx";
import { Fault } from "./parts/fault.tsx";
import { guardedNavigation } from "./parts/unsaved.tsx";
import { theme } from "./theme.ts";

const SetupPage = lazy(() => import("./account/setup-page.tsx"));
const AcceptPage = lazy(() => import("./account/accept-page.tsx"));

/** The whole console. */
export function App({ nonce }: { nonce: string }) {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
      <QueryClientProvider client={queryClient}>
        <Notifications position="bottom-right" limit={4} transitionDuration={120} />
        <Router base="/console" aroundNav={guardedNavigation}>
          <Suspense fallback={<FrameSkeleton />}>
            <Switch>
              <Route path="/setup" component={SetupPage} />
              <Route path="/accept" component={AcceptPage} />
              <Route>
                <Signed />
              </Route>
            </Switch>
          </Suspense>
        </Router>
      </QueryClientProvider>
    </MantineProvider>
  );
}

/** The frame for those who are signed in; for others the way in. The address stays, so that one lands where one wanted to go. */
function Signed() {
  const me = useMeQuery();
  if (me.data) return <Frame />;
  if (me.error?.signedOut) return <SignInPage />;
  // While it is still being tried, what failed last is said already.
  const fault = me.error ?? me.failureReason;
  if (fault) {
    return (
      <Stack maw={480} mx="auto" mt="20vh" px="md">
        <Fault error={fault} retry={() => void me.refetch()} />
      </Stack>
    );
  }
  return <FrameSkeleton />;
}
