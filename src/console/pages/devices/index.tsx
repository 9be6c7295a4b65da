import { Route, Switch } from "wouter";
import { DeviceList } from "./list.tsx";
import { DevicePage } from "./one.tsx";

/** Every screen of the network, and each by itself. */
export default function DevicesPage() {
  return (
    <Switch>
      <Route path="/devices">
        <DeviceList />
      </Route>
      <Route path="/devices/:id">{({ id }) => <DevicePage key={id} id={id} />}</Route>
    </Switch>
  );
}
