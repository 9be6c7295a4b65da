import { Alert, AppShell, Button, Group } from "@mantine/core";
import { useDisclosure, useLocalStorage } from "@mantine/hooks";
import { IconCloudOff } from "@tabler/icons-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { Link, Route, Switch, useLocation } from "wouter";
import { SignInAgain } from "../account/sign-in-again.tsx";
import { look, serverUp } from "../api/connection.ts";
import { queryClient } from "../api/query.ts";
import { useStore } from "../api/store.ts";
import { Empty } from "../parts/empty.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { useShortcut } from "../parts/shortcuts.ts";
import { LeaveDialog } from "../parts/unsaved.tsx";
import { AccountPage, PAGES, pageAt } from "../routes.tsx";
import { PageSkeleton } from "./frame-skeleton.tsx";
import { Navigation } from "./navigation.tsx";
import { PageFault } from "./page-fault.tsx";
import { TopBar } from "./top-bar.tsx";

const loadSearch = () => import("./search.tsx");
const loadShortcutList = () => import("./shortcut-list.tsx");
const Search = lazy(loadSearch);
const ShortcutList = lazy(loadShortcutList);

const WIDE_PX = 220;
const NARROW_PX = 56;

/** Safari has no idle callbacks: there it waits as long as a page takes. */
const PAGE_TAKES_MS = 2000;

function whenIdle(work: () => void): () => void {
  if ("requestIdleCallback" in globalThis) {
    const id = requestIdleCallback(work);
    return () => cancelIdleCallback(id);
  }
  const id = setTimeout(work, PAGE_TAKES_MS);
  return () => clearTimeout(id);
}

/** What stands around every page: navigation, top bar, and the dialogs that may come over it. */
export function Frame() {
  const [menu, { toggle: toggleMenu, close: closeMenu }] = useDisclosure(false);
  const [narrow, setNarrow] = useLocalStorage({ key: "alive.narrow", defaultValue: false, getInitialValueInEffect: false });
  const [searching, setSearching] = useState(false);
  const [explaining, setExplaining] = useState(false);
  const [path] = useLocation();
  useShortcut({ keys: "mod+k", label: "Search and go anywhere", group: "Everywhere" }, () => setSearching(true));
  useShortcut({ keys: "?", label: "Show these shortcuts", group: "Everywhere" }, () => setExplaining(true));
  useShortcut({ keys: "[", label: "Fold the navigation", group: "Everywhere" }, () => setNarrow(!narrow));
  // Fetched when the page has nothing else to do, so that they open at once, and without a network.
  useEffect(
    () =>
      whenIdle(() => {
        void loadSearch();
        void loadShortcutList();
      }),
    [],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: on another page the menu is in the way
  useEffect(closeMenu, [path]);

  return (
    <AppShell
      layout="alt"
      padding={{ base: "md", sm: "lg" }}
      header={{ height: 52 }}
      navbar={{ width: narrow ? NARROW_PX : WIDE_PX, breakpoint: "sm", collapsed: { mobile: !menu } }}
      transitionDuration={120}
    >
      <a className="skip" href="#page-title">
        Skip to the page
      </a>
      <AppShell.Navbar className="frame-nav" aria-label="Main" {...(menu ? {} : { "data-closed": true })}>
        <Navigation narrow={narrow} onFold={() => setNarrow(!narrow)} onClose={closeMenu} />
      </AppShell.Navbar>
      <AppShell.Header className="frame-header">
        <TopBar menu={menu} onMenu={toggleMenu} onSearch={() => setSearching(true)} />
      </AppShell.Header>
      <AppShell.Main className="frame-main">
        <ServerAway />
        <PageFault key={pageAt(path)?.path ?? path}>
          <Suspense fallback={<PageSkeleton />}>
            <Pages />
          </Suspense>
        </PageFault>
      </AppShell.Main>
      <Suspense>
        {searching && <Search onClose={() => setSearching(false)} />}
        {explaining && <ShortcutList onClose={() => setExplaining(false)} />}
      </Suspense>
      <LeaveDialog />
      <SignInAgain />
    </AppShell>
  );
}

function Pages() {
  return (
    <Switch>
      {PAGES.map(({ path, page: Page }) => (
        <Route key={path} path={path === "/" ? "/" : `${path}/*?`}>
          <Page />
        </Route>
      ))}
      <Route path="/account">
        <AccountPage />
      </Route>
      <Route>
        <PageHead title="Nothing here" />
        <Empty
          action={
            <Button component={Link} href="/" variant="default">
              Go to the overview
            </Button>
          }
        >
          There is no page at this address.
        </Empty>
      </Route>
    </Switch>
  );
}

/** Says that the server is away, while it is. What is shown stays; it is read again when the server is back. */
function ServerAway() {
  const up = useStore(serverUp);
  useEffect(() => {
    if (up)
      void queryClient.refetchQueries({
        type: "active",
        predicate: ({ state }) => state.status === "error" || state.fetchFailureCount > 0,
      });
  }, [up]);
  if (up) return null;
  return (
    <Alert color="yellow" icon={<IconCloudOff size={18} />} mb="md" py="xs" role="status">
      <Group justify="space-between" gap="sm">
        The server does not answer. What you see may be old; this page tries again every few seconds.
        <Button size="compact-sm" variant="default" onClick={() => void look()}>
          Try now
        </Button>
      </Group>
    </Alert>
  );
}
