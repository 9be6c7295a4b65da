import { Button, CopyButton, Group, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useEffect, useState } from "react";
import { type Answer, call } from "../../api/client.ts";
import { asApiError } from "../../api/error.ts";
import { readAgain, useRead } from "../../api/query.ts";
import type { Device } from "../../api/schema.ts";
import { Fault } from "../../parts/fault.tsx";
import { Qr } from "../../parts/qr.tsx";
import { State } from "../../parts/state.tsx";
import { useUnsaved } from "../../parts/unsaved.tsx";
import { useNow } from "../../parts/when.tsx";
import { PlaceFields } from "./place-fields.tsx";
import type { Places } from "./places.ts";

const LOOK_EVERY_MS = 2000;

type Made = Answer<"POST /v1/device/pairing/create-claim">;

/** Makes a code, shows it as text and QR, and waits until a player has used it. */
export function MakeCode({
  device,
  places,
  onClose,
  onPaired,
}: {
  device: Device | null;
  places: Places;
  onClose: () => void;
  onPaired: (deviceId: string) => void;
}) {
  const [made, setMade] = useState<Made | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const form = useForm({ initialValues: { name: "", store_id: null as string | null, group_id: null as string | null } });
  useUnsaved(made === null && form.isDirty());
  const make = async () => {
    setBusy(true);
    setError(null);
    try {
      const { name, store_id, group_id } = form.getValues();
      const body = device ? { device_id: device.id } : { name: name.trim() || null, store_id, group_id };
      setMade(await call("POST /v1/device/pairing/create-claim", { body }));
    } catch (thrown) {
      setError(asApiError(thrown));
    } finally {
      setBusy(false);
    }
  };
  if (made) return <ShownCode made={made} onAgain={() => void make()} onClose={onClose} onPaired={onPaired} />;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void make();
      }}
    >
      <Stack gap="sm">
        {error !== null && <Fault error={error} />}
        {device ? (
          <Text size="sm">
            The device keeps its name, store and group. The player that it had before is signed off when the new one is paired.
          </Text>
        ) : (
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
        <Group justify="flex-end">
          <Button type="submit" loading={busy}>
            Make a code
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function ShownCode({
  made,
  onAgain,
  onClose,
  onPaired,
}: {
  made: Made;
  onAgain: () => void;
  onClose: () => void;
  onPaired: (deviceId: string) => void;
}) {
  const now = useNow();
  const over = Date.parse(made.expires_at) <= now;
  const { data } = useRead(
    "GET /v1/admin/claims",
    { query: { claim_code: made.claim_code } },
    { refetchInterval: over ? false : LOOK_EVERY_MS, staleTime: 0 },
  );
  const claim = data?.items[0];
  const deviceId = claim?.status === "used" ? claim.device_id : null;
  useEffect(() => {
    if (deviceId) void readAgain("/v1/admin/devices");
  }, [deviceId]);
  const address = `${location.origin}/player`;
  if (deviceId) {
    return (
      <Stack gap="sm">
        <State value="ok">The player is paired</State>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
          <Button onClick={() => onPaired(deviceId)}>Open the device</Button>
        </Group>
      </Stack>
    );
  }
  return (
    <Stack gap="sm" align="center">
      <Text size="sm">Type this code on the screen. It is good for one player.</Text>
      <Text component="output" fz={32} fw={650} className="mono" aria-label="Claim code" style={{ letterSpacing: "0.12em", fontSize: 32 }}>
        {made.claim_code}
      </Text>
      <Qr value={`${address}?claim_code=${made.claim_code}`} label={`QR code of ${address} with the code`} />
      <Text size="xs" c="dimmed" ta="center">
        Or scan it with the device that shows the screen: it opens {address} with the code filled in.
      </Text>
      {over ? (
        <State value="warn">The code has expired</State>
      ) : (
        <Text size="xs" c="dimmed" role="status">
          Waiting for the player; the code ends in {Math.max(1, Math.ceil((Date.parse(made.expires_at) - now) / 60_000))} min
        </Text>
      )}
      <Group gap="xs">
        <CopyButton value={made.claim_code}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy}>
              {copied ? "Copied" : "Copy the code"}
            </Button>
          )}
        </CopyButton>
        {over && <Button onClick={onAgain}>Make another code</Button>}
      </Group>
    </Stack>
  );
}
