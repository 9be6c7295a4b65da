import { Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { createSpotlight, Spotlight } from "@mantine/spotlight";
import { IconSearch } from "@tabler/icons-react";
import { useQueries } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useLocation } from "wouter";
import { addressOf, sendOnce } from "../api/client.ts";
import { may, useMe } from "../api/me.ts";
import { PAGES } from "../routes.tsx";

/** What is searched by name, and where a find leads. */
const KINDS = [
  { title: "Devices", path: "/v1/admin/devices", page: "/devices", name: "external_name" },
  { title: "Stores", path: "/v1/admin/stores", page: "/stores", name: "name" },
  { title: "Content", path: "/v1/admin/content", page: "/content", name: "name" },
  { title: "Playlists", path: "/v1/admin/playlists", page: "/playlists", name: "name" },
  { title: "Schedules", path: "/v1/admin/schedules", page: "/schedules", name: "name" },
  { title: "Campaigns", path: "/v1/admin/campaigns", page: "/campaigns", name: "name" },
];
const FINDS_PER_KIND = 5;
const TYPING_ENDS_AFTER_MS = 200;

const [store, spotlight] = createSpotlight();

type Found = { id: string } & Record<string, unknown>;

/** ⌘K: every page, and everything that has a name. */
export default function Search({ onClose }: { onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const [asked] = useDebouncedValue(typed.trim(), TYPING_ENDS_AFTER_MS);
  const [, navigate] = useLocation();
  const me = useMe();
  useEffect(() => spotlight.open(), []);
  const finds = useQueries({
    queries: KINDS.map(({ path }) => ({
      queryKey: [`GET ${path}`, "search", asked],
      enabled: asked.length > 0,
      // What one may not see is not found, and nothing is said of it.
      queryFn: async () =>
        ((await (await sendOnce("GET", addressOf(path, { query: { q: asked, limit: FINDS_PER_KIND } }))).json()) as { items: Found[] })
          .items,
      retry: false,
    })),
  });
  const lower = typed.trim().toLowerCase();
  const pages = PAGES.filter(({ title, right }) => title.toLowerCase().includes(lower) && (right === undefined || may(me, right)));
  const groups = [
    {
      group: "Pages",
      actions: pages.map(({ path, title, icon: Icon }) => ({
        id: path,
        label: title,
        leftSection: <Icon size={16} stroke={1.6} />,
        onClick: () => navigate(path),
      })),
    },
    ...KINDS.map(({ title, page, name }, index) => ({
      group: title,
      actions: (asked.length > 0 ? (finds[index]?.data ?? []) : []).map((found) => ({
        id: `${page}/${found.id}`,
        label: typeof found[name] === "string" ? found[name] : found.id,
        onClick: () => navigate(`${page}/${found.id}`),
      })),
    })),
  ].filter(({ actions }) => actions.length > 0);
  const first = groups[0]?.actions[0]?.id;
  // What comes from the server comes after the typing: Enter opens the first find, unless somebody has gone down the list meanwhile.
  useEffect(() => {
    if (first === undefined || store.getState().selected > 0) return;
    for (const [index, action] of document.querySelectorAll('[role="dialog"] [data-action]').entries()) {
      if (index === 0) action.setAttribute("data-selected", "true");
      else action.removeAttribute("data-selected");
    }
    store.updateState((state) => ({ ...state, selected: 0 }));
  }, [first]);
  const busy = asked !== typed.trim() || finds.some((find) => find.isFetching);
  return (
    <Spotlight
      store={store}
      actions={groups}
      query={typed}
      onQueryChange={setTyped}
      // The server has searched already.
      filter={(_query, actions) => actions}
      onSpotlightClose={onClose}
      shortcut={null}
      nothingFound={<Text size="sm">{busy ? "Searching" : "Nothing of that name"}</Text>}
      searchProps={{
        leftSection: <IconSearch size={18} />,
        placeholder: "Search devices, stores, content, or go to a page",
        "aria-label": "Search",
      }}
      scrollable
      maxHeight={420}
      // It stays where it is while what is found changes.
      centered={false}
      transitionProps={{ duration: 120 }}
      overlayProps={{ backgroundOpacity: 0.35 }}
    />
  );
}
