import { lazy } from "react";
import { Route, Switch } from "wouter";
import { CampaignList } from "./list.tsx";

const CampaignPage = lazy(async () => ({ default: (await import("./campaign.tsx")).CampaignPage }));

/** What advertisers' brands have booked, and how much of it was delivered. */
export default function CampaignsPage() {
  return (
    <Switch>
      <Route path="/campaigns/:id">{({ id }) => <CampaignPage key={id} id={id} />}</Route>
      <Route>
        <CampaignList />
      </Route>
    </Switch>
  );
}
