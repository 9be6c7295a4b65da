import { Route, Switch } from "wouter";
import { IncidentInbox } from "./inbox.tsx";
import { IncidentPage } from "./incident.tsx";

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
