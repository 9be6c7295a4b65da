import { Redirect, Route, Switch } from "wouter";
import { useMe } from "../../api/me.ts";
import { GroupPage } from "./group-page.tsx";
import { GroupsPage } from "./groups.tsx";
import { InvitationsPage } from "./invitations.tsx";
import { sectionsFor } from "./sections.tsx";
import { SuppliersPage } from "./suppliers.tsx";
import { TokensPage } from "./tokens.tsx";
import { UsersPage } from "./users.tsx";
import { WebhookPage } from "./webhook-page.tsx";
import { WebhooksPage } from "./webhooks.tsx";

/** Users, invitations, API tokens, webhooks, the policies of device groups, and suppliers. */
export default function SettingsPage() {
  const [first] = sectionsFor(useMe());
  return (
    <Switch>
      <Route path="/settings/users/:id?">{({ id }) => <UsersPage id={id ?? null} />}</Route>
      <Route path="/settings/invitations">
        <InvitationsPage />
      </Route>
      <Route path="/settings/tokens">
        <TokensPage />
      </Route>
      <Route path="/settings/webhooks">
        <WebhooksPage />
      </Route>
      <Route path="/settings/webhooks/:id">{({ id }) => <WebhookPage key={id} id={id} />}</Route>
      <Route path="/settings/groups">
        <GroupsPage />
      </Route>
      <Route path="/settings/groups/:id">{({ id }) => <GroupPage key={id} id={id} />}</Route>
      <Route path="/settings/suppliers">
        <SuppliersPage />
      </Route>
      <Route>
        <Redirect to={first?.path ?? "/settings/groups"} replace />
      </Route>
    </Switch>
  );
}
