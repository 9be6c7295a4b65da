import { Route, Switch } from "wouter";
import { PlaysPage } from "./plays.tsx";
import { ProofPage } from "./proof.tsx";
import { ReportPage } from "./report.tsx";

/** What was played, summed up as one likes, down to each play and its proof. */
export default function ReportsPage() {
  return (
    <Switch>
      <Route path="/reports/plays/:device/:event">
        {({ device, event }) => <ProofPage key={event} deviceId={device} eventId={event} />}
      </Route>
      <Route path="/reports/plays">
        <PlaysPage />
      </Route>
      <Route>
        <ReportPage />
      </Route>
    </Switch>
  );
}
