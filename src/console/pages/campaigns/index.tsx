import { Route, Switch } from "wouter";
import { CampaignPage } from "./campaign.tsx";
import { CampaignList } from "./list.tsx";

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
