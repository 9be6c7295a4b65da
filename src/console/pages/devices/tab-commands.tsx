import { Text, Tooltip } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { call } from "../../api/client.ts";
import { useMay } from "../../api/me.ts";
import { readAgain, useRows } from "../../api/query.ts";
import type { DeviceCommand } from "../../api/schema.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { failed, said } from "../../parts/notes.tsx";
import { State, type StateValue } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";
import { COMMANDS } from "../../parts/words.ts";
import type { TabProps } from "./one.tsx";

const STATES: Record<DeviceCommand["status"], StateValue> = {
  waiting: "unknown",
  done: "ok",
  failed: "bad",
  expired: "warn",
  cancelled: "unknown",
};
const EVERY_MS = 5000;

/** What the device was told to do, and what became of it. */
export default function CommandsTab({ device, zone }: TabProps) {
  const source = useRows("GET /v1/admin/devices/{id}/commands", { path: { id: device.id } }, { refetchInterval: EVERY_MS });
  const operates = useMay("operate");
  const cancel = async ({ id, type }: DeviceCommand) => {
    try {
      await call("POST /v1/admin/devices/{id}/commands/{command_id}/cancel", { path: { id: device.id, command_id: id } });
      await readAgain("/v1/admin/devices");
      said(`"${COMMANDS[type] ?? type}" cancelled`);
    } catch (error) {
      failed("The command was not cancelled", error);
    }
  };
  const columns: Column<DeviceCommand>[] = [
    { id: "what", header: "What", value: ({ type }) => COMMANDS[type] ?? type },
    {
      id: "status",
      header: "State",
      value: ({ status }) => status,
      cell: ({ status }) => <State value={STATES[status]}>{status}</State>,
    },
    {
      id: "result",
      header: "What the device said",
      cell: ({ result }) =>
        result ? (
          <Tooltip label={JSON.stringify(result)} multiline maw={420}>
            <Text inherit truncate className="mono">
              {JSON.stringify(result)}
            </Text>
          </Tooltip>
        ) : (
          "–"
        ),
    },
    { id: "by", header: "By", value: ({ created_by }) => created_by },
    {
      id: "at",
      header: "Sent",
      value: ({ created_at }) => Date.parse(created_at),
      cell: ({ created_at }) => <When at={created_at} zone={zone} />,
      number: true,
    },
    {
      id: "settled",
      header: "Settled",
      value: ({ settled_at }) => (settled_at ? Date.parse(settled_at) : null),
      cell: ({ settled_at }) => <When at={settled_at} zone={zone} />,
      number: true,
    },
  ];
  return (
    <DataTable
      name="commands"
      noun={["command", "commands"]}
      source={source}
      columns={columns}
      rowId={({ id }) => id}
      {...(operates
        ? {
            actions: (row: DeviceCommand) =>
              row.status === "waiting" ? [{ label: "Cancel", icon: <IconX size={16} />, run: () => void cancel(row) }] : [],
          }
        : {})}
      empty={{ text: "This device was never told to do anything." }}
    />
  );
}
