import { Stack } from "@mantine/core";
import { useMe } from "../../api/me.ts";
import { Empty } from "../../parts/empty.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { NamePanel } from "./name.tsx";
import { PasswordPanel } from "./password.tsx";
import { SessionsPanel } from "./sessions.tsx";
import { TwoFactorPanel } from "./two-factor.tsx";

/** Your own name, password, second factor and sessions. */
export default function AccountPage() {
  const me = useMe();
  return (
    <>
      <PageHead title="Account and security" line={`${me.name}${me.email ? ` · ${me.email}` : ""} · ${me.role}`} />
      {me.kind === "user" ? (
        <Stack gap="md" maw={760}>
          <NamePanel />
          <PasswordPanel />
          <TwoFactorPanel />
          <SessionsPanel />
        </Stack>
      ) : (
        <Empty>You are signed in with an API token: it has no password and no sessions.</Empty>
      )}
    </>
  );
}
