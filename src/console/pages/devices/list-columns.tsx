import type { Device } from "../../api/schema.ts";
import type { Column } from "../../parts/data-table-columns.ts";
import { percent } from "../../parts/format.ts";
import { Id } from "../../parts/id.tsx";
import { State } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";
import type { Places } from "./places.ts";
import { clockState, clockWords, deviceState, diskShare, diskState, factsOf } from "./state.ts";

/** The columns of the list of devices. */
export function deviceColumns(places: Places): Column<Device>[] {
  const zone = (device: Device) => places.storeOf(device.store_id)?.timezone;
  return [
    { id: "name", header: "Name", value: ({ external_name }) => external_name },
    {
      id: "state",
      header: "State",
      value: (device) => deviceState(device).word,
      cell: (device) => {
        const { value, word } = deviceState(device);
        return <State value={value}>{word}</State>;
      },
      width: 130,
    },
    { id: "store", header: "Store", value: ({ store_id }) => places.storeOf(store_id)?.name ?? null },
    { id: "group", header: "Group", value: ({ group_id }) => places.groupOf(group_id)?.name ?? null },
    {
      id: "seen",
      header: "Last seen",
      value: ({ last_seen_at }) => (last_seen_at === null ? null : Date.parse(last_seen_at)),
      cell: (device) => <When at={device.last_seen_at} zone={zone(device)} never="Never" />,
      number: true,
      width: 130,
    },
    {
      id: "clock",
      header: "Clock",
      value: ({ heartbeat }) => factsOf(heartbeat).clockOffsetMs,
      cell: ({ heartbeat }) => {
        const { clockOffsetMs } = factsOf(heartbeat);
        if (clockOffsetMs === null) return "–";
        const state = clockState(clockOffsetMs);
        return state === "ok" ? clockWords(clockOffsetMs) : <State value={state}>{clockWords(clockOffsetMs)}</State>;
      },
      number: true,
      width: 120,
    },
    {
      id: "disk",
      header: "Disk",
      value: ({ heartbeat }) => diskShare(factsOf(heartbeat)),
      cell: ({ heartbeat }) => {
        const share = diskShare(factsOf(heartbeat));
        if (share === null) return "–";
        return diskState(share) === "ok" ? percent(share, 0) : <State value="warn">{percent(share, 0)}</State>;
      },
      number: true,
      width: 90,
    },
    { id: "player", header: "Player", value: ({ player_version }) => player_version },
    { id: "error", header: "Last error", value: ({ heartbeat }) => factsOf(heartbeat).lastError, hidden: true },
    {
      id: "created",
      header: "Made",
      value: ({ created_at }) => Date.parse(created_at),
      cell: ({ created_at }) => <When at={created_at} />,
      number: true,
      hidden: true,
    },
    { id: "id", header: "Id", value: ({ id }) => id, cell: ({ id }) => <Id value={id} label="device id" />, hidden: true },
  ];
}
