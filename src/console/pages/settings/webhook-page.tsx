import { ActionIcon, Alert, Button, Menu, SegmentedControl, SimpleGrid, Skeleton, Text } from "@mantine/core";
import { IconDots, IconKey, IconPencil, IconPlugConnected, IconPlugConnectedX, IconRepeat, IconSend, IconTrash } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useLocation } from "wouter";
import { type Answer, call } from "../../api/client.ts";
import { useMay } from "../../api/me.ts";
import { readAgain, useRead } from "../../api/query.ts";
import { ConfirmName } from "../../parts/confirm-name.tsx";
import { Fault } from "../../parts/fault.tsx";
import { useFilters } from "../../parts/filters.tsx";
import { count } from "../../parts/format.ts";
import { failed, said, undoable } from "../../parts/notes.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { useShortcut } from "../../parts/shortcuts.ts";
import { When } from "../../parts/when.tsx";
import { RecoverDrawer, RotateDrawer } from "./webhook-acts.tsx";
import { WebhookDrawer } from "./webhook-drawer.tsx";
import { AttemptTable, MessageDrawer, MessageTable } from "./webhook-log.tsx";
import { EVENT_WORDS, WebhookState } from "./webhook-words.tsx";
import { SecretShown } from "./webhooks.tsx";

type Webhook = Answer<"GET /v1/admin/webhooks/{id}">;
type Doing = "edit" | "rotate" | "recover" | "delete";

const CRUMBS = [
  { label: "Settings", to: "/settings" },
  { label: "Webhooks", to: "/settings/webhooks" },
];
const LOOK_EVERY_MS = 5000;

/** One webhook: whether its messages get through, each of them, and how each attempt went. */
export function WebhookPage({ id }: { id: string }) {
  const webhook = useRead("GET /v1/admin/webhooks/{id}", { path: { id } }, { refetchInterval: LOOK_EVERY_MS });
  if (webhook.data) return <Shown webhook={webhook.data} />;
  return (
    <>
      <PageHead title="Webhook" crumbs={CRUMBS} />
      {webhook.error ? <Fault error={webhook.error} retry={() => void webhook.refetch()} /> : <Skeleton height={300} />}
    </>
  );
}

function Shown({ webhook }: { webhook: Webhook }) {
  const isOperator = useMay("operate");
  const filters = useFilters(["view", "status", "type", "outcome", "message"]);
  const { view = "messages", message } = filters.values;
  useShortcut({ keys: "e", label: "Edit the webhook", group: "Settings" }, () => setDoing("edit"), isOperator);
  const [doing, setDoing] = useState<Doing | null>(null);
  return (
    <>
      <PageHead
        title={webhook.name}
        line={<Sentence webhook={webhook} />}
        crumbs={CRUMBS}
        action={isOperator && <Acts webhook={webhook} onDo={setDoing} />}
      />
      {webhook.status === "disabled" && <WhyOff webhook={webhook} />}
      <Facts webhook={webhook} />
      <SegmentedControl
        size="xs"
        mt="lg"
        mb="sm"
        aria-label="What is listed"
        value={view}
        onChange={(next) => filters.set("view", next === "messages" ? null : next)}
        data={[
          { value: "messages", label: "Messages" },
          { value: "attempts", label: "Attempts" },
        ]}
      />
      {view === "attempts" ? <AttemptTable webhook={webhook} filters={filters} /> : <MessageTable webhook={webhook} filters={filters} />}
      {message && <MessageDrawer key={message} webhook={webhook} id={message} onClose={() => filters.set("message", null)} />}
      <Doings webhook={webhook} doing={doing} onClose={() => setDoing(null)} />
    </>
  );
}

function Sentence({ webhook }: { webhook: Webhook }) {
  if (webhook.status === "disabled") return <>Nothing is sent.</>;
  if (webhook.failing_since_at === null) return <>All that was sent last got through.</>;
  return (
    <>
      Nothing has got through since <When at={webhook.failing_since_at} />. After five days of that it is switched off.
    </>
  );
}

function WhyOff({ webhook }: { webhook: Webhook }) {
  const why = {
    BY_HAND: "An administrator switched it off.",
    GONE: "The receiver answered 410: it wants no more messages. Ask them before you switch it on.",
    FAILURES: "Nothing got through for five days. Look at the attempts below, then switch it on and send again what was missed.",
  }[webhook.disabled_reason ?? "BY_HAND"];
  return (
    <Alert color={webhook.disabled_reason === "BY_HAND" ? "gray" : "red"} mb="md" py="xs" title="It is off">
      {why} Off since <When at={webhook.disabled_at} />. What happens while it is off is not kept for it.
    </Alert>
  );
}

function Facts({ webhook }: { webhook: Webhook }) {
  return (
    <section className="panel" aria-label="About it">
      <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }} spacing="md" verticalSpacing="sm">
        <Fact label="State">
          <WebhookState webhook={webhook} />
        </Fact>
        <Fact label="Sends to">
          <span className="mono anywhere">{webhook.url}</span>
        </Fact>
        <Fact label="Tells of">{webhook.events.map((event) => EVENT_WORDS[event]).join(", ")}</Fact>
        <Fact label="Messages under way">{count(webhook.messages_pending ?? 0)}</Fact>
        <Fact label="Secret">
          Number {webhook.secret_version}
          {webhook.previous_secret_expires_at && Date.parse(webhook.previous_secret_expires_at) > Date.now() && (
            <>
              ; the one before still signs, and ends <When at={webhook.previous_secret_expires_at} />
            </>
          )}
        </Fact>
        <Fact label="Added">
          <When at={webhook.created_at} />
        </Fact>
        <Fact label="Changed">
          <When at={webhook.updated_at} />
        </Fact>
      </SimpleGrid>
    </section>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div style={{ minWidth: 0 }}>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text size="sm" component="div">
        {children}
      </Text>
    </div>
  );
}

function Acts({ webhook, onDo }: { webhook: Webhook; onDo: (doing: Doing) => void }) {
  const [busy, setBusy] = useState(false);
  const isOn = webhook.status === "active";
  const test = async () => {
    setBusy(true);
    await sendTest(webhook);
    setBusy(false);
  };
  return (
    <>
      <Button leftSection={<IconSend size={16} />} onClick={() => void test()} loading={busy} disabled={!isOn}>
        Send a test
      </Button>
      <Menu>
        <Menu.Target>
          <ActionIcon size="lg" variant="default" aria-label="More">
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil size={15} />} onClick={() => onDo("edit")}>
            Edit
          </Menu.Item>
          <Menu.Item leftSection={<IconKey size={15} />} onClick={() => onDo("rotate")}>
            New secret
          </Menu.Item>
          <Menu.Item leftSection={<IconRepeat size={15} />} onClick={() => onDo("recover")}>
            Send again what failed
          </Menu.Item>
          <Menu.Item
            leftSection={isOn ? <IconPlugConnectedX size={15} /> : <IconPlugConnected size={15} />}
            onClick={() => void setOn(webhook, !isOn)}
          >
            {isOn ? "Switch off" : "Switch on"}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item color="red" leftSection={<IconTrash size={15} />} onClick={() => onDo("delete")}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}

function Doings({ webhook, doing, onClose }: { webhook: Webhook; doing: Doing | null; onClose: () => void }) {
  const [secret, setSecret] = useState<string | null>(null);
  const [, navigate] = useLocation();
  const path = { id: webhook.id };
  return (
    <>
      {doing === "edit" && (
        <WebhookDrawer
          webhook={webhook}
          onClose={onClose}
          save={async (body, { version }) => {
            await call("PATCH /v1/admin/webhooks/{id}", { path, body, version });
            await readAgain("/v1/admin/webhooks");
            said(`${body.name} saved`);
          }}
        />
      )}
      {doing === "rotate" && <RotateDrawer webhook={webhook} onClose={onClose} onSecret={setSecret} />}
      {doing === "recover" && <RecoverDrawer webhook={webhook} onClose={onClose} />}
      {doing === "delete" && (
        <ConfirmName
          opened
          onClose={onClose}
          name={webhook.name}
          title="Delete webhook"
          doing="Delete webhook"
          onConfirm={async () => {
            await call("DELETE /v1/admin/webhooks/{id}", { path });
            navigate("/settings/webhooks");
            await readAgain("/v1/admin/webhooks");
            said(`${webhook.name} is deleted`);
          }}
        >
          It goes for good, with its secret, its messages and their attempts. To pause it, switch it off instead.
        </ConfirmName>
      )}
      {secret !== null && <SecretShown name={webhook.name} secret={secret} onClose={() => setSecret(null)} />}
    </>
  );
}

async function sendTest({ id }: Webhook): Promise<void> {
  try {
    await call("POST /v1/admin/webhooks/{id}/test", { path: { id } });
    said("A test is under way; it is the first of the messages below");
    await readAgain("/v1/admin/webhooks");
  } catch (error) {
    failed("No test was sent", error);
  }
}

async function setOn({ id, name }: Webhook, on: boolean): Promise<void> {
  const change = async (to: boolean) => {
    await call("PATCH /v1/admin/webhooks/{id}", { path: { id }, body: { status: to ? "active" : "disabled" } });
    await readAgain("/v1/admin/webhooks");
  };
  try {
    await change(on);
    undoable(on ? `${name} is on` : `${name} is off`, () => change(!on));
  } catch (error) {
    failed(`${name} was not switched`, error);
  }
}
