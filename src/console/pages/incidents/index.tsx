import { lazy } from "react";
import { Route, Switch } from "wouter";
import { IncidentInbox } from "./inbox.tsx";

const IncidentPage = lazy(async () => ({ default: (await import("./incident.tsx")).IncidentPage }));

/** What is wrong and must be seen by a person. */
export default function IncidentsPage() {
  return (
    <Switch>
      <Route path="/incidents/:id">{({ id }) => <IncidentPage key={id} id={id} />}</Route>
      <Route>
        <IncidentInbox />
      </Route>
    </Switch>
  );
}
