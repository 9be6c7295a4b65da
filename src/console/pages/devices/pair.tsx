import { Modal, SegmentedControl, Stack } from "@mantine/core";
import { useState } from "react";
import type { Device } from "../../api/schema.ts";
import { leave } from "../../parts/unsaved.tsx";
import { ApproveCode } from "./pair-approve.tsx";
import { MakeCode } from "./pair-make.tsx";
import type { Places } from "./places.ts";

/** What the dialog is opened for: a new device, another player for a device, or a screen that shows its own code. */
export type PairStart = { kind: "new" } | { kind: "replace"; device: Device } | { kind: "approve"; code?: string };

/** Pairs a player: by a code that is made here and typed on the screen, or by a code that the screen shows. */
export function PairDialog({
  start,
  places,
  onClose,
  onPaired,
}: {
  start: PairStart;
  places: Places;
  onClose: () => void;
  onPaired: (deviceId: string) => void;
}) {
  const [way, setWay] = useState<"approve" | "make">(start.kind === "approve" ? "approve" : "make");
  const device = start.kind === "replace" ? start.device : null;
  return (
    <Modal opened onClose={() => leave(onClose)} title={device ? `Pair a player for ${device.external_name}` : "Pair a device"} size="md">
      <Stack gap="md">
        <SegmentedControl
          fullWidth
          value={way}
          onChange={(value) => leave(() => setWay(value === "approve" ? "approve" : "make"))}
          data={[
            { value: "make", label: "Make a code" },
            { value: "approve", label: "The screen has a code" },
          ]}
        />
        {way === "make" ? (
          <MakeCode device={device} places={places} onClose={onClose} onPaired={onPaired} />
        ) : (
          <ApproveCode device={device} code={start.kind === "approve" ? start.code : undefined} places={places} onClose={onClose} />
        )}
      </Stack>
    </Modal>
  );
}
