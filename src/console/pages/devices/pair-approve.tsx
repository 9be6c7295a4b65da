import { Button, Group, Stack, Table, Text, TextInput, UnstyledButton } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { flushSync } from "react-dom";
import { call } from "../../api/client.ts";
import { asApiError } from "../../api/error.ts";
import { readAgain, useRead } from "../../api/query.ts";
import type { Claim, Device } from "../../api/schema.ts";
import { Empty } from "../../parts/empty.tsx";
import { Fault } from "../../parts/fault.tsx";
import { said } from "../../parts/notes.tsx";
import { State } from "../../parts/state.tsx";
import { useUnsaved } from "../../parts/unsaved.tsx";
import { When } from "../../parts/when.tsx";
import { PlaceFields } from "./place-fields.tsx";
import type { Places } from "./places.ts";
import { factName } from "./state.ts";

const LOOK_EVERY_MS = 5000;

/** Finds the claim of a screen by the code that it shows, then decides on it. */
export function ApproveCode({
  device,
  code,
  places,
  onClose,
}: {
  device: Device | null;
  code: string | undefined;
  places: Places;
  onClose: () => void;
}) {
  const [typed, setTyped] = useState(code ?? "");
  const [asked, setAsked] = useState(code ?? "");
  const [chosen, setChosen] = useState<Claim | null>(null);
  const found = useRead("GET /v1/admin/claims", { query: { claim_code: asked } }, { enabled: asked !== "" && chosen === null });
  const claim = chosen ?? found.data?.items[0] ?? null;
  if (claim && claim.status === "pending" && claim.asked_by === "device") {
    return <Decide claim={claim} device={device} places={places} onClose={onClose} />;
  }
  return (
    <Stack gap="sm">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setChosen(null);
          setAsked(typed.replaceAll(/[\s-]/g, "").toUpperCase());
        }}
      >
        <Group align="flex-end" gap="xs" wrap="nowrap">
          <TextInput
            label="Code on the screen"
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            required
            flex={1}
            autoComplete="off"
            data-autofocus
          />
          <Button type="submit" loading={found.isFetching}>
            Find
          </Button>
        </Group>
      </form>
      {found.error && <Fault error={found.error} />}
      {asked !== "" && found.data && !claim && (
        <Text size="sm">No screen shows this code now. Codes last ten minutes; look at the screen again.</Text>
      )}
      {claim && (
        <Text size="sm">This code is {claim.asked_by === "admin" ? "one that was made here" : claim.status} and cannot be approved.</Text>
      )}
      <Waiting onChoose={setChosen} />
    </Stack>
  );
}

function Waiting({ onChoose }: { onChoose: (claim: Claim) => void }) {
  const { data } = useRead("GET /v1/admin/claims", { query: { status: "pending", limit: 50 } }, { refetchInterval: LOOK_EVERY_MS });
  const waiting = data?.items.filter(({ asked_by }) => asked_by === "device") ?? [];
  if (waiting.length === 0) return <Empty>No screen waits for approval now. Open the player on a screen: it shows a code.</Empty>;
  return (
    <div>
      <Text size="xs" c="dimmed" mb={4}>
        Waiting now
      </Text>
      {waiting.map((claim) => (
        <UnstyledButton key={claim.id} onClick={() => onChoose(claim)} className="panel" w="100%" p="xs" mb={6}>
          <Text size="sm">{describe(claim)}</Text>
          <Text size="xs" c="dimmed" component="div">
            Asked <When at={claim.created_at} />
          </Text>
        </UnstyledButton>
      ))}
    </div>
  );
}

function describe({ device_info }: Claim): string {
  const words = Object.values(device_info ?? {}).filter((value): value is string => typeof value === "string");
  return words.slice(0, 3).join(" · ") || "A screen that says nothing of itself";
}

/** Shows what the screen says of itself, and approves or rejects it. */
function Decide({ claim, device, places, onClose }: { claim: Claim; device: Device | null; places: Places; onClose: () => void }) {
  const form = useForm({ initialValues: { name: "", store_id: null as string | null, group_id: null as string | null } });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [decided, setDecided] = useState(false);
  useUnsaved(!decided && form.isDirty());
  const decide = async (approved: boolean) => {
    setBusy(true);
    setError(null);
    try {
      const { name, store_id, group_id } = form.getValues();
      const body = device ? { device_id: device.id } : { name: name.trim() || null, store_id, group_id };
      if (approved) await call("POST /v1/admin/claims/{id}/approve", { path: { id: claim.id }, body });
      else await call("POST /v1/admin/claims/{id}/reject", { path: { id: claim.id } });
      await readAgain("/v1/admin/claims", "/v1/admin/devices");
      flushSync(() => setDecided(true));
      said(approved ? "Approved; the player is paired when it asks next" : "Rejected");
      onClose();
    } catch (thrown) {
      setError(asApiError(thrown));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void decide(true);
      }}
    >
      <Stack gap="sm">
        {error !== null && <Fault error={error} />}
        <Table fz="xs" horizontalSpacing={0} aria-label="What the screen says of itself">
          <Table.Tbody>
            {Object.entries(claim.device_info ?? {}).map(([name, value]) => (
              <Table.Tr key={name}>
                <Table.Td c="dimmed">{factName(name)}</Table.Td>
                <Table.Td>{typeof value === "string" ? value : JSON.stringify(value)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
        <Text size="sm" component="div">
          <State value={claim.has_key ? "ok" : "warn"}>
            {claim.has_key ? "It has a key of its own: its plays can be billed" : "It has no key: its plays are not signed, and not billed"}
          </State>
        </Text>
        {!device && (
          <>
            <TextInput
              label="Name"
              description="What people call this screen, such as Entrance left"
              {...form.getInputProps("name")}
              data-autofocus
            />
            <PlaceFields places={places} store={form.getInputProps("store_id")} group={form.getInputProps("group_id")} />
          </>
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" color="red" onClick={() => void decide(false)} disabled={busy}>
            Reject
          </Button>
          <Button type="submit" loading={busy}>
            Approve
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
