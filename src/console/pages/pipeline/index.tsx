import { Route, Switch } from "wouter";
import { DeadLetterPage } from "./dead-letter.tsx";
import { PipelineView } from "./view.tsx";

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
