import { lazy } from "react";
import { Route, Switch } from "wouter";
import { DeviceList } from "./list.tsx";

const DevicePage = lazy(async () => ({ default: (await import("./one.tsx")).DevicePage }));

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
