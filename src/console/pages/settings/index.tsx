import { lazy } from "react";
import { Redirect, Route, Switch } from "wouter";
import { useMe } from "../../api/me.ts";
import { sectionsFor } from "./sections.tsx";

const UsersPage = lazy(async () => ({ default: (await import("./users.tsx")).UsersPage }));
const InvitationsPage = lazy(async () => ({ default: (await import("./invitations.tsx")).InvitationsPage }));
const TokensPage = lazy(async () => ({ default: (await import("./tokens.tsx")).TokensPage }));
const WebhooksPage = lazy(async () => ({ default: (await import("./webhooks.tsx")).WebhooksPage }));
const WebhookPage = lazy(async () => ({ default: (await import("./webhook-page.tsx")).WebhookPage }));
const GroupsPage = lazy(async () => ({ default: (await import("./groups.tsx")).GroupsPage }));
const GroupPage = lazy(async () => ({ default: (await import("./group-page.tsx")).GroupPage }));
const SuppliersPage = lazy(async () => ({ default: (await import("./suppliers.tsx")).SuppliersPage }));

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
