import { lazy } from "react";
import { Route, Switch } from "wouter";
import { ReportPage } from "./report.tsx";

// Opened from a report, seldom at first.
const PlaysPage = lazy(() => import("./plays.tsx"));
const ProofPage = lazy(() => import("./proof.tsx"));

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
