import { Code, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useRead } from "../../api/query.ts";
import type { RefusedRecords } from "../../api/schema.ts";
import { asRows } from "../../parts/as-rows.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { Id } from "../../parts/id.tsx";
import { When } from "../../parts/when.tsx";
import { REFUSALS } from "../../parts/words.ts";
import type { TabProps } from "./one.tsx";

type Refused = RefusedRecords["items"][number];

/** The last hundred records that were refused, and why. */
export default function RefusedTab({ device, zone }: TabProps) {
  const found = useRead("GET /v1/admin/devices/{id}/refused", { path: { id: device.id } });
  const [looking, setLooking] = useState<Refused | null>(null);
  const columns: Column<Refused>[] = [
    { id: "why", header: "Why", value: ({ code }) => REFUSALS[code] ?? code },
    { id: "code", header: "Code", value: ({ code }) => code, cell: ({ code }) => <code className="mono">{code}</code> },
    { id: "door", header: "Door", value: ({ door }) => door },
    {
      id: "log",
      header: "Log id",
      value: ({ log_id }) => log_id,
      cell: ({ log_id }) => (log_id ? <Id value={log_id} label="log id" /> : "–"),
    },
    { id: "at", header: "When", value: ({ at }) => Date.parse(at), cell: ({ at }) => <When at={at} zone={zone} />, number: true },
  ];
  return (
    <>
      <DataTable
        name="refused"
        noun={["refused record", "refused records"]}
        source={asRows(found, (answer) => answer.items)}
        columns={columns}
        rowId={({ at, log_id, code }) => `${at} ${log_id} ${code}`}
        actions={(row) => [{ label: "Show the record", run: () => setLooking(row) }]}
        empty={{ text: "Nothing of this device was refused lately." }}
      />
      <Modal opened={looking !== null} onClose={() => setLooking(null)} title="Refused record" size="lg">
        {looking && (
          <Stack gap="sm">
            <Text size="sm">
              {REFUSALS[looking.code] ?? looking.code}. {looking.error}
            </Text>
            <Code block>{pretty(looking.record)}</Code>
          </Stack>
        )}
      </Modal>
    </>
  );
}

function pretty(record: string): string {
  try {
    return JSON.stringify(JSON.parse(record), null, 2);
  } catch {
    // It was cut, or was no JSON at all.
    return record;
  }
}
