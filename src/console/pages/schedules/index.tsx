import { lazy } from "react";
import { Route, Switch } from "wouter";

const Schedules = lazy(async () => ({ default: (await import("./schedules.tsx")).Schedules }));
const SchedulePage = lazy(() => import("./schedule-page.tsx"));
const NewSchedule = lazy(async () => ({ default: (await import("./schedule-page.tsx")).NewSchedule }));

/** Schedules: the week of a place, the list, takeovers, and one schedule. */
export default function SchedulePages() {
  return (
    <Switch>
      <Route path="/schedules/new">
        <NewSchedule />
      </Route>
      <Route path="/schedules/:id">{({ id }) => <SchedulePage key={id} id={id} />}</Route>
      <Route>
        <Schedules />
      </Route>
    </Switch>
  );
}
