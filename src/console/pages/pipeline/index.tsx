import { lazy } from "react";
import { Route, Switch } from "wouter";
import { PipelineView } from "./view.tsx";

const DeadLetterPage = lazy(async () => ({ default: (await import("./dead-letter.tsx")).DeadLetterPage }));

/** How plays get from devices into reports and the archive. */
export default function PipelinePage() {
  return (
    <Switch>
      <Route path="/pipeline/dead-letters/:id">{({ id }) => <DeadLetterPage key={id} id={id} />}</Route>
      <Route>
        <PipelineView />
      </Route>
    </Switch>
  );
}
