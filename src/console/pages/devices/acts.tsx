import { Alert, Button, Group, Modal, NumberInput, Progress, Select, Stack, Text } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";
import { call } from "../../api/client.ts";
import { type Outcome, toEach } from "../../api/each.ts";
import { readAgain } from "../../api/query.ts";
import type { Device, DeviceCommandCreate } from "../../api/schema.ts";
import { ConfirmName } from "../../parts/confirm-name.tsx";
import { plural } from "../../parts/format.ts";
import { said, undoable } from "../../parts/notes.tsx";
import { COMMANDS } from "../../parts/words.ts";
import type { Places } from "./places.ts";

interface ActProps {
  devices: Device[];
  /** Takes the selection away, when it is done. */
  clear: () => void;
  onClose: () => void;
}

const nameOf = (devices: Device[]) => (devices.length === 1 ? (devices[0]?.external_name ?? "") : plural(devices.length, "device"));

/** Puts devices into another store or group. Can be taken back for a moment. */
export function MoveDialog({ devices, clear, onClose, places }: ActProps & { places: Places }) {
  const [store, setStore] = useState<string | null>(null);
  const [group, setGroup] = useState<string | null>(null);
  const to = { ...(store === null ? {} : { store_id: store }), ...(group === null ? {} : { group_id: group }) };
  const move = async ({ id, version }: Device) => await call("PATCH /v1/admin/devices/{id}", { path: { id }, body: to, version });
  const back = async (moved: Device[]) => {
    const { failed } = await toEach(moved, ({ id, store_id, group_id }) =>
      call("PATCH /v1/admin/devices/{id}", {
        path: { id },
        body: { ...(store === null ? {} : { store_id }), ...(group === null ? {} : { group_id }) },
      }),
    );
    await readAgain("/v1/admin/devices");
    if (failed[0]) throw new Error(`${plural(failed.length, "device")} stayed: ${failed[0].message}`);
  };
  return (
    <ManyDialog
      title={`Move ${nameOf(devices)}`}
      doing="Move"
      ready={store !== null || group !== null}
      devices={devices}
      act={move}
      onClose={onClose}
      onDone={(done) => {
        clear();
        undoable(`${plural(done.length, "device")} moved`, () => back(done));
      }}
    >
      <Select
        label="Store"
        placeholder="Stays as it is"
        data={places.storeOptions}
        value={store}
        onChange={setStore}
        searchable
        clearable
        openOnFocus={false}
        data-autofocus
      />
      <Select
        label="Group"
        placeholder="Stays as it is"
        data={places.groupOptions}
        value={group}
        onChange={setGroup}
        searchable
        clearable
      />
    </ManyDialog>
  );
}

type CommandType = DeviceCommandCreate["type"];

/** Tells devices to do something; each is told with its next heartbeat, or at once where its stream is open. */
export function CommandDialog({ devices, clear, onClose }: ActProps) {
  const [type, setType] = useState<CommandType>("refresh_plan");
  const [level, setLevel] = useState<number | string>(50);
  const paired = devices.filter(({ status }) => status === "active");
  const body: DeviceCommandCreate = type === "set_volume" ? { type, params: { level: Number(level) } } : { type };
  return (
    <ManyDialog
      title={`Send a command to ${nameOf(paired)}`}
      doing="Send"
      ready={paired.length > 0}
      devices={paired}
      act={({ id }) => call("POST /v1/admin/devices/{id}/commands", { path: { id }, body })}
      onClose={onClose}
      onDone={(done) => {
        clear();
        said(`Command waits for ${plural(done.length, "device")}`);
      }}
    >
      {paired.length < devices.length && (
        <Text size="sm">{plural(devices.length - paired.length, "device")} of your choice cannot be told anything: not paired.</Text>
      )}
      <Select
        label="What to do"
        data={Object.entries(COMMANDS).map(([value, label]) => ({ value, label }))}
        value={type}
        onChange={(value) => value && setType(value as CommandType)}
        allowDeselect={false}
        data-autofocus
      />
      {type === "set_volume" && <NumberInput label="Volume, percent" min={0} max={100} value={level} onChange={setLevel} />}
    </ManyDialog>
  );
}

/** Revokes devices: final, so the name is asked for. */
export function RevokeDialog({ devices, clear, onClose }: ActProps) {
  const name = nameOf(devices);
  return (
    <ConfirmName
      opened
      onClose={onClose}
      name={name}
      title={`Revoke ${name}`}
      doing="Revoke"
      onConfirm={async () => {
        const { done, failed } = await toEach(devices, ({ id }) => call("POST /v1/admin/devices/{id}/revoke", { path: { id } }));
        await readAgain("/v1/admin/devices");
        if (failed[0]) throw new Error(`${plural(failed.length, "device")} could not be revoked: ${failed[0].message}`);
        clear();
        said(`${plural(done.length, "device")} revoked`);
      }}
    >
      Nothing that it sends from now on is taken. What it has reported before stays counted. To bring the screen back, pair its player anew.
    </ConfirmName>
  );
}

/** Does something to many devices, with progress, and says for which it failed. */
function ManyDialog({
  title,
  doing,
  ready,
  devices,
  act,
  onDone,
  onClose,
  children,
}: {
  title: string;
  doing: string;
  ready: boolean;
  devices: Device[];
  act: (device: Device) => Promise<unknown>;
  onDone: (done: Device[]) => void;
  onClose: () => void;
  children: ReactNode;
}) {
  const [through, setThrough] = useState<number | null>(null);
  const [outcome, setOutcome] = useState<Outcome<Device> | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setThrough(0);
    const came = await toEach(outcome ? outcome.failed.map(({ item }) => item) : devices, act, setThrough);
    await readAgain("/v1/admin/devices");
    setThrough(null);
    if (came.done.length > 0) onDone(came.done);
    if (came.failed.length === 0) onClose();
    else setOutcome(came);
  };
  return (
    <Modal opened onClose={onClose} title={title} closeOnClickOutside={through === null}>
      <form onSubmit={(event) => void submit(event)}>
        <Stack gap="sm">
          {children}
          {through !== null && devices.length > 1 && (
            <Progress value={(100 * through) / devices.length} aria-label="How many are through" />
          )}
          {outcome && outcome.failed.length > 0 && (
            <Alert color="red" role="alert" title={`${plural(outcome.failed.length, "device")} refused`}>
              {outcome.failed.slice(0, 5).map(({ item, message }) => (
                <Text key={item.id} size="sm">
                  {item.external_name}: {message}
                </Text>
              ))}
            </Alert>
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {outcome ? "Close" : "Cancel"}
            </Button>
            <Button type="submit" disabled={!ready} loading={through !== null}>
              {outcome ? "Try those again" : doing}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
