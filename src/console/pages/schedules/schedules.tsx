import { Button, SegmentedControl, Skeleton } from "@mantine/core";
import { IconAlertTriangle, IconPlus } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { Link, useLocation } from "wouter";
import { Can, useMay } from "../../api/me.ts";
import { useRows } from "../../api/query.ts";
import { useFilters } from "../../parts/filters.tsx";
import { plural } from "../../parts/format.ts";
import { later } from "../../parts/later.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { useShortcut } from "../../parts/shortcuts.ts";
import { State } from "../../parts/state.tsx";
import { useNetwork } from "./places.ts";
import { WeekView } from "./week-view.tsx";

const ListView = lazy(async () => ({ default: (await import("./list-view.tsx")).ListView }));
const TakeoverList = lazy(async () => ({ default: (await import("./takeover-list.tsx")).TakeoverList }));
const TakeoverForm = later(async () => (await import("./takeover-form.tsx")).TakeoverForm);

const LINE = "When playlists play, where, and what stands before what.";
const VIEWS = [
  { value: "week", label: "Week" },
  { value: "list", label: "List" },
  { value: "takeovers", label: "Takeovers" },
];

/** The week of a place, the list, and takeovers. */
export function Schedules() {
  const filters = useFilters(["view", "where", "week", "q", "target", "playlist_id", "archived", "active"]);
  const { view = "week", where } = filters.values;
  const [, navigate] = useLocation();
  const isOperator = useMay("operate");
  const network = useNetwork();
  const [takingOver, setTakingOver] = useState(false);
  const active = useRows("GET /v1/admin/takeovers", { query: { active: "true" } }, { refetchInterval: 60_000 });
  const adding = where && view === "week" ? `/schedules/new?where=${encodeURIComponent(where)}` : "/schedules/new";
  useShortcut({ keys: "n", label: "Add a schedule", group: "Schedules" }, () => navigate(adding), isOperator);

  return (
    <>
      <PageHead
        title="Schedules"
        line={
          active.rows.length > 0 ? (
            <State value="warn">{`${plural(active.rows.length, "takeover")} on now: ${active.rows.map(({ name }) => name).join(", ")}`}</State>
          ) : (
            LINE
          )
        }
        action={
          <>
            <SegmentedControl
              size="xs"
              aria-label="How schedules are shown"
              data={VIEWS}
              value={view}
              onChange={(next) => filters.set("view", next === "week" ? null : next)}
            />
            <Can do="operate">
              <Button variant="default" leftSection={<IconAlertTriangle size={16} />} onClick={() => setTakingOver(true)}>
                Take over
              </Button>
              <Button leftSection={<IconPlus size={16} />} component={Link} href={adding}>
                Add schedule
              </Button>
            </Can>
          </>
        }
      />
      {view === "week" && <WeekView network={network} filters={filters} />}
      <Suspense fallback={<Skeleton h={320} />}>
        {view === "list" && <ListView network={network} filters={filters} />}
        {view === "takeovers" && <TakeoverList network={network} filters={filters} onStart={() => setTakingOver(true)} />}
      </Suspense>
      {takingOver && <TakeoverForm network={network} onClose={() => setTakingOver(false)} />}
    </>
  );
}
