import { Button, Group, Stack, Text } from "@mantine/core";
import { type Answer, call } from "../../api/client.ts";
import { forgetMe } from "../../api/me.ts";
import { readAgain, useRead } from "../../api/query.ts";
import { Fault } from "../../parts/fault.tsx";
import { failed, said } from "../../parts/notes.tsx";
import { Panel } from "../../parts/panel.tsx";
import { When } from "../../parts/when.tsx";
import { browserWords } from "./browser-words.ts";

type Session = Answer<"GET /v1/admin/me/sessions">["items"][number];

/** One's own sessions, and signing out everywhere. */
export function SessionsPanel() {
  const sessions = useRead("GET /v1/admin/me/sessions", {});
  const end = async ({ id }: Session) => {
    try {
      await call("DELETE /v1/admin/me/sessions/{id}", { path: { id } });
      said("Session ended");
      await readAgain("/v1/admin/me");
    } catch (error) {
      failed("The session was not ended", error);
    }
  };
  const endAll = async () => {
    try {
      await call("POST /v1/admin/me/sessions/revoke-all");
      forgetMe();
    } catch (error) {
      failed("The sessions were not ended", error);
    }
  };
  return (
    <Panel
      title="Where you are signed in"
      aside={
        <Button size="compact-sm" variant="default" color="red" onClick={() => void endAll()}>
          Sign out everywhere
        </Button>
      }
    >
      {sessions.error && <Fault error={sessions.error} retry={() => void sessions.refetch()} />}
      <Stack gap="xs">
        {sessions.data?.items.map((session) => (
          <Group key={session.id} justify="space-between" wrap="nowrap">
            <div style={{ minWidth: 0 }}>
              <Text size="sm" truncate title={session.user_agent ?? ""}>
                {browserWords(session.user_agent)}
              </Text>
              <Text size="xs" c="dimmed">
                {session.current ? "This one · " : ""}
                {session.network ?? "unknown network"} · last seen <When at={session.last_seen_at} /> · signed in{" "}
                <When at={session.created_at} />
              </Text>
            </div>
            {!session.current && (
              <Button size="compact-sm" variant="default" style={{ flex: "none" }} onClick={() => void end(session)}>
                End
              </Button>
            )}
          </Group>
        ))}
      </Stack>
    </Panel>
  );
}
