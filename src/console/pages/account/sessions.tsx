import { Button, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { send } from "../../api/client.ts";
import type { ApiError } from "../../api/error.ts";
import { forgetMe } from "../../api/me.ts";
import { queryClient } from "../../api/query.ts";
import { Fault } from "../../parts/fault.tsx";
import { failed, said } from "../../parts/notes.tsx";
import { Panel } from "../../parts/panel.tsx";
import { When } from "../../parts/when.tsx";

interface Session {
  id: string;
  current: boolean;
  network: string | null;
  user_agent: string | null;
  created_at: string;
  last_seen_at: string;
}

const KEY = ["GET /v1/admin/me/sessions"];

export function SessionsPanel() {
  const sessions = useQuery<Session[], ApiError>({
    queryKey: KEY,
    queryFn: async () => ((await (await send("GET", "/v1/admin/me/sessions")).json()) as { items: Session[] }).items,
  });
  const end = async ({ id }: Session) => {
    try {
      await send("DELETE", `/v1/admin/me/sessions/${id}`);
      said("Session ended");
      await queryClient.invalidateQueries({ queryKey: KEY });
    } catch (error) {
      failed("The session was not ended", error);
    }
  };
  const endAll = async () => {
    try {
      await send("POST", "/v1/admin/me/sessions/revoke-all");
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
        {sessions.data?.map((session) => (
          <Group key={session.id} justify="space-between" wrap="nowrap">
            <div style={{ minWidth: 0 }}>
              <Text size="sm" truncate>
                {session.user_agent ?? "Unknown browser"}
              </Text>
              <Text size="xs" c="dimmed">
                {session.current ? "This one · " : ""}
                {session.network ?? "unknown network"} · last seen <When at={session.last_seen_at} /> · signed in{" "}
                <When at={session.created_at} />
              </Text>
            </div>
            {!session.current && (
              <Button size="compact-sm" variant="default" onClick={() => void end(session)}>
                End
              </Button>
            )}
          </Group>
        ))}
      </Stack>
    </Panel>
  );
}
