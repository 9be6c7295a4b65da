import { ActionIcon, Anchor, Grid, Menu, Select, Skeleton, Table, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconDots, IconTrash } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { Link, useLocation } from "wouter";
import { type Answer, call } from "../../api/client.ts";
import { useMay } from "../../api/me.ts";
import { readAgain, useRead, useRows } from "../../api/query.ts";
import { ConfirmName } from "../../parts/confirm-name.tsx";
import { Fault } from "../../parts/fault.tsx";
import { FormPage } from "../../parts/form.tsx";
import { plural } from "../../parts/format.ts";
import { said } from "../../parts/notes.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { Panel } from "../../parts/panel.tsx";
import { When } from "../../parts/when.tsx";
import { type Policy, policyFaults, policyLine, policyOf, policyRows, policyValues } from "./policy-fields.ts";
import { type GroupValues, PolicyFields } from "./policy-form.tsx";

type DeviceGroup = Answer<"GET /v1/admin/device-groups/{id}">;

const CRUMBS = [
  { label: "Settings", to: "/settings" },
  { label: "Device groups", to: "/settings/groups" },
];

/** One group: its policy and its default playlist. */
export function GroupPage({ id }: { id: string }) {
  const group = useRead("GET /v1/admin/device-groups/{id}", { path: { id } }, { staleTime: 0 });
  if (group.data) return <Shown group={group.data} />;
  return (
    <>
      <PageHead title="Device group" crumbs={CRUMBS} />
      {group.error ? <Fault error={group.error} retry={() => void group.refetch()} /> : <Skeleton height={400} />}
    </>
  );
}

function Shown({ group }: { group: DeviceGroup }) {
  const isOperator = useMay("operate");
  const isAdministrator = useMay("administer");
  const [, navigate] = useLocation();
  const [removing, setRemoving] = useState(false);
  // What the form began with, or saved last. A newer version that comes by itself must not take away what is being typed.
  const [edited, setEdited] = useState(group);
  return (
    <>
      <PageHead
        title={group.name}
        line={<Sentence group={group} />}
        crumbs={CRUMBS}
        action={
          isOperator && (
            <Menu>
              <Menu.Target>
                <ActionIcon size="lg" variant="default" aria-label="More">
                  <IconDots size={18} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item color="red" leftSection={<IconTrash size={15} />} onClick={() => setRemoving(true)}>
                  Delete
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          )
        }
      />
      <Grid gap="lg">
        {isOperator && (
          <Grid.Col span={{ base: 12, md: 7 }}>
            <GroupForm key={edited.version} group={edited} withPolicy={isAdministrator} onSaved={setEdited} />
          </Grid.Col>
        )}
        <Grid.Col span={{ base: 12, md: isOperator ? 5 : 8 }}>
          <div className="stays">
            <InForce group={group} />
          </div>
        </Grid.Col>
      </Grid>
      {removing && (
        <ConfirmName
          opened
          onClose={() => setRemoving(false)}
          name={group.name}
          title="Delete device group"
          doing="Delete group"
          onConfirm={async () => {
            await call("DELETE /v1/admin/device-groups/{id}", { path: { id: group.id } });
            navigate("/settings/groups");
            await readAgain("/v1/admin/device-groups");
            said(`${group.name} is deleted`);
          }}
        >
          It goes for good. A group that devices or schedules are in is kept: move them first.
        </ConfirmName>
      )}
    </>
  );
}

function Sentence({ group }: { group: DeviceGroup }) {
  const devices = useRows("GET /v1/admin/devices", { query: { group_id: group.id, limit: 200 } });
  const many = `${plural(devices.rows.length, "device")}${devices.hasMore ? " and more" : ""}`;
  return (
    <>
      {devices.pending ? "Devices" : many} of this group.{" "}
      <Anchor component={Link} href={`/devices?group_id=${group.id}`} inherit>
        Look at them
      </Anchor>
      . Changed <When at={group.updated_at} />.
    </>
  );
}

/** What holds now, each field with its value: the policy's, or the default. */
function InForce({ group }: { group: DeviceGroup }) {
  return (
    <Panel title="What holds now">
      <Table fz="xs" verticalSpacing={6} horizontalSpacing={0} withRowBorders={false}>
        <Table.Tbody>
          {policyRows(group.policy).map(({ id, label, value, isDefault, help }) => (
            <Table.Tr key={id} title={help}>
              <Table.Td>{label}</Table.Td>
              <Table.Td ta="right" fw={isDefault ? 400 : 600} {...(isDefault ? { c: "dimmed" } : {})}>
                {value}
                {isDefault && " (default)"}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Text size="xs" c="dimmed" mt="sm">
        A change goes out to every device of the group at once. Plays are judged by what holds when they arrive, and are not judged again.
      </Text>
    </Panel>
  );
}

const valuesOf = ({ name, default_playlist_id, policy }: DeviceGroup): GroupValues => ({
  name,
  default_playlist_id,
  policy: policyValues(policy),
});

function GroupForm({ group, withPolicy, onSaved }: { group: DeviceGroup; withPolicy: boolean; onSaved: (group: DeviceGroup) => void }) {
  const path = { id: group.id };
  const playlists = useRows("GET /v1/admin/playlists", { query: { archived: "false" } }, { all: 5000 });
  const names = useMemo(() => new Map(playlists.rows.map(({ id, name }) => [id, name])), [playlists.rows]);
  const form = useForm<GroupValues>({
    initialValues: valuesOf(group),
    validate: (values) => ({ ...(values.name.trim() === "" ? { name: "Give a name." } : {}), ...policyFaults(values.policy) }),
  });
  return (
    <FormPage
      form={form}
      saveLabel="Save group"
      editing={{
        version: group.version,
        read: async () => {
          const now = await call("GET /v1/admin/device-groups/{id}", { path });
          return { values: valuesOf(now), version: now.version };
        },
        labels: { name: "Name", default_playlist_id: "Default playlist", policy: "Policy" },
        show: (field, value) => {
          if (field === "policy") return policyLine(policyOf(value as GroupValues["policy"]));
          return field === "default_playlist_id" ? (names.get(String(value)) ?? "None") : undefined;
        },
      }}
      onSave={async ({ name, default_playlist_id, policy }, { version }) => {
        const body = { name, default_playlist_id, ...(withPolicy ? { policy: policyOf(policy) } : {}) };
        const saved = await call("PATCH /v1/admin/device-groups/{id}", { path, body, version });
        await readAgain("/v1/admin/device-groups");
        said(savedWords(group.policy, saved));
        onSaved(saved);
      }}
      onDone={() => undefined}
    >
      <TextInput label="Name" required {...form.getInputProps("name")} />
      <Select
        label="Default playlist"
        description="What plays where no schedule is on. None: such times stay dark."
        placeholder="None"
        data={playlists.rows.map(({ id, name }) => ({ value: id, label: name }))}
        clearable
        searchable
        nothingFoundMessage="No playlist of that name"
        {...form.getInputProps("default_playlist_id")}
      />
      {withPolicy ? (
        <PolicyFields form={form} />
      ) : (
        <Text size="sm" c="dimmed">
          Only administrators change a group's policy.
        </Text>
      )}
    </FormPage>
  );
}

/** What a save came to: which of the policy's fields changed, if any. */
function savedWords(before: Policy, { name, policy }: DeviceGroup): string {
  const old = new Map(policyRows(before).map(({ id, value }) => [id, value]));
  const changed = policyRows(policy).filter(({ id, value }) => old.get(id) !== value);
  if (changed.length === 0) return `${name} saved`;
  return `${name} saved: ${changed.map(({ label, value }) => `${label.toLowerCase()}: ${value.trim()}`).join(", ")}`;
}
