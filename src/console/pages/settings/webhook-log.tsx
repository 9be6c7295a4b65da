import { Button, Drawer, Group, Skeleton, Stack, Text } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useSearch } from "wouter";
import { type Answer, call, type Item } from "../../api/client.ts";
import { useMay } from "../../api/me.ts";
import { readAgain, useRead, useRows } from "../../api/query.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { Empty } from "../../parts/empty.tsx";
import { Fault } from "../../parts/fault.tsx";
import { FilterBar, type Filters } from "../../parts/filters.tsx";
import { count, span } from "../../parts/format.ts";
import { Id } from "../../parts/id.tsx";
import { failed, said } from "../../parts/notes.tsx";
import { State } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";
import { oneOf } from "./scope.tsx";
import { EVENT_TYPES, EVENT_WORDS, MESSAGE_STATES, OUTCOME_WORDS } from "./webhook-words.tsx";

type Webhook = Answer<"GET /v1/admin/webhooks/{id}">;
type Message = Item<"GET /v1/admin/webhooks/{id}/messages">;
type Attempt = Item<"GET /v1/admin/webhooks/{id}/attempts">;

const LOOK_EVERY_MS = 5000;
const STATUSES = ["pending", "delivered", "failed"] as const;
const TYPES = [...EVENT_TYPES, "webhook.test"] as const;
const OUTCOMES = Object.keys(OUTCOME_WORDS) as Attempt["outcome"][];

/** The address of a message, with the filters of the list as they are. */
function useMessageHref(): (webhookId: string, messageId: string) => string {
  const search = useSearch();
  return (webhookId, messageId) => {
    const params = new URLSearchParams(search);
    params.set("message", messageId);
    return `/settings/webhooks/${webhookId}?${params}`;
  };
}

const MESSAGE_COLUMNS: Column<Message>[] = [
  {
    id: "created_at",
    header: "Happened",
    value: ({ created_at }) => Date.parse(created_at),
    cell: ({ created_at }) => <When at={created_at} />,
  },
  { id: "type", header: "Event", value: ({ type }) => EVENT_WORDS[type] },
  {
    id: "status",
    header: "State",
    value: ({ status }) => MESSAGE_STATES[status][1],
    cell: ({ status }) => <State value={MESSAGE_STATES[status][0]}>{MESSAGE_STATES[status][1]}</State>,
  },
  { id: "tries", header: "Attempts", value: ({ tries }) => tries, number: true, width: 90 },
  {
    id: "next_attempt_at",
    header: "Next attempt",
    value: ({ next_attempt_at }) => (next_attempt_at ? Date.parse(next_attempt_at) : null),
    cell: ({ next_attempt_at }) => <When at={next_attempt_at} />,
  },
  { id: "id", header: "Message", cell: ({ id }) => <Id value={id} label="message's id" /> },
];

export function MessageTable({ webhook, filters }: { webhook: Webhook; filters: Filters }) {
  const href = useMessageHref();
  const isOperator = useMay("operate");
  const { status, type } = filters.values;
  const source = useRows(
    "GET /v1/admin/webhooks/{id}/messages",
    { path: { id: webhook.id }, query: { status: oneOf(status, STATUSES), type: oneOf(type, TYPES) } },
    { refetchInterval: LOOK_EVERY_MS },
  );
  return (
    <>
      <FilterBar
        filters={filters}
        list={[
          { key: "status", label: "State", options: STATUSES.map((value) => ({ value, label: MESSAGE_STATES[value][1] })) },
          { key: "type", label: "Event", options: TYPES.map((value) => ({ value, label: EVENT_WORDS[value] })) },
        ]}
      />
      <DataTable
        name="webhook-messages"
        noun={["message", "messages"]}
        source={source}
        columns={MESSAGE_COLUMNS}
        rowId={({ id }) => id}
        href={({ id }) => href(webhook.id, id)}
        {...(isOperator
          ? {
              actions: (message: Message) =>
                message.status === "pending"
                  ? []
                  : [{ label: "Send again", icon: <IconRefresh size={15} />, run: () => void sendAgain(webhook, message.id) }],
            }
          : {})}
        empty={{ text: status || type ? "No message is like that." : "Nothing was sent yet. Send a test to see whether it arrives." }}
      />
    </>
  );
}

const ATTEMPT_COLUMNS: Column<Attempt>[] = [
  {
    id: "created_at",
    header: "When",
    value: ({ created_at }) => Date.parse(created_at),
    cell: ({ created_at }) => <When at={created_at} />,
  },
  {
    id: "outcome",
    header: "Outcome",
    value: ({ outcome }) => OUTCOME_WORDS[outcome],
    cell: (attempt) => <Outcome attempt={attempt} />,
  },
  { id: "status_code", header: "Status", value: ({ status_code }) => status_code, number: true, width: 80 },
  {
    id: "duration_ms",
    header: "Took",
    value: ({ duration_ms }) => duration_ms,
    cell: ({ duration_ms }) => span(duration_ms),
    number: true,
    width: 90,
  },
  { id: "answer", header: "Answer", value: ({ response, error }) => response || error },
  { id: "message", header: "Message", cell: ({ message_id }) => <Id value={message_id} label="message's id" /> },
];

function Outcome({ attempt: { outcome } }: { attempt: Attempt }) {
  return <State value={outcome === "delivered" ? "ok" : "bad"}>{OUTCOME_WORDS[outcome]}</State>;
}

export function AttemptTable({ webhook, filters }: { webhook: Webhook; filters: Filters }) {
  const href = useMessageHref();
  const { outcome } = filters.values;
  const source = useRows(
    "GET /v1/admin/webhooks/{id}/attempts",
    { path: { id: webhook.id }, query: { outcome: oneOf(outcome, OUTCOMES) } },
    { refetchInterval: LOOK_EVERY_MS },
  );
  return (
    <>
      <FilterBar
        filters={filters}
        list={[{ key: "outcome", label: "Outcome", options: OUTCOMES.map((value) => ({ value, label: OUTCOME_WORDS[value] })) }]}
      />
      <DataTable
        name="webhook-attempts"
        noun={["attempt", "attempts"]}
        source={source}
        columns={ATTEMPT_COLUMNS}
        rowId={({ id }) => id}
        href={({ message_id }) => href(webhook.id, message_id)}
        empty={{ text: outcome ? "No attempt ended like that." : "Nothing was sent yet. Send a test to see whether it arrives." }}
      />
    </>
  );
}

/** One message: what was sent, and how each attempt was answered. */
export function MessageDrawer({ webhook, id, onClose }: { webhook: Webhook; id: string; onClose: () => void }) {
  const path = { id: webhook.id, message_id: id };
  const isOperator = useMay("operate");
  const body = useRead("GET /v1/admin/webhooks/{id}/messages/{message_id}/body", { path });
  const attempts = useRows(
    "GET /v1/admin/webhooks/{id}/attempts",
    { path: { id: webhook.id }, query: { message_id: id } },
    { refetchInterval: LOOK_EVERY_MS },
  );
  return (
    <Drawer opened onClose={onClose} title="Message" size={640}>
      <Stack gap="md">
        <Group justify="space-between">
          <Id value={id} label="message's id" whole />
          {isOperator && (
            <Button size="compact-sm" variant="default" leftSection={<IconRefresh size={14} />} onClick={() => void sendAgain(webhook, id)}>
              Send again
            </Button>
          )}
        </Group>
        <section aria-label="Attempts">
          <h2 className="panel-title">Attempts</h2>
          {attempts.error && <Fault error={attempts.error} retry={attempts.refresh} />}
          {attempts.pending && <Skeleton height={60} mt="xs" />}
          {!attempts.pending && attempts.rows.length === 0 && <Empty>None yet.</Empty>}
          <Stack gap="sm" mt="xs">
            {attempts.rows.map((attempt) => (
              <AttemptShown key={attempt.id} attempt={attempt} />
            ))}
          </Stack>
        </section>
        <section aria-label="What is sent">
          <h2 className="panel-title">What is sent</h2>
          {body.error && <Fault error={body.error} retry={() => void body.refetch()} />}
          {body.data && <Code label="The message as JSON">{JSON.stringify(body.data, null, 2)}</Code>}
        </section>
      </Stack>
    </Drawer>
  );
}

function AttemptShown({ attempt }: { attempt: Attempt }) {
  return (
    <div>
      <Group gap="sm" wrap="nowrap" justify="space-between">
        <Outcome attempt={attempt} />
        <Text size="xs" c="dimmed">
          {attempt.status_code !== null && `${attempt.status_code} · `}
          {span(attempt.duration_ms)} · <When at={attempt.created_at} />
        </Text>
      </Group>
      {(attempt.response || attempt.error) && <Code label="The receiver's answer">{attempt.response || attempt.error || ""}</Code>}
    </div>
  );
}

/** The most of a text that is shown: a message of 500 plays would be half a megabyte on the page. */
const SHOWN_CHARS = 20_000;

function Code({ label, children }: { label: string; children: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard (WCAG 2.1.1)
    <section className="code-frame" aria-label={label} tabIndex={0}>
      <pre className="mono">{children.slice(0, SHOWN_CHARS)}</pre>
      {children.length > SHOWN_CHARS && (
        <Text size="xs" c="dimmed">
          The first {count(SHOWN_CHARS)} of {count(children.length)} characters.
        </Text>
      )}
    </section>
  );
}

async function sendAgain({ id }: Webhook, messageId: string): Promise<void> {
  try {
    await call("POST /v1/admin/webhooks/{id}/messages/{message_id}/resend", { path: { id, message_id: messageId } });
    await readAgain("/v1/admin/webhooks");
    said("The message is under way again");
  } catch (error) {
    failed("The message was not sent again", error);
  }
}
