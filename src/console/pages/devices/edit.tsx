import { TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { call } from "../../api/client.ts";
import { readAgain } from "../../api/query.ts";
import type { Device } from "../../api/schema.ts";
import { FormDrawer } from "../../parts/form.tsx";
import { said } from "../../parts/notes.tsx";
import { PlaceFields } from "./place-fields.tsx";
import type { Places } from "./places.ts";

interface Values {
  external_name: string;
  store_id: string | null;
  group_id: string | null;
}

const valuesOf = ({ external_name, store_id, group_id }: Device): Values => ({ external_name, store_id, group_id });

/** Renames a device, or moves it to another store or group. */
export function EditDevice({ device, places, onClose }: { device: Device; places: Places; onClose: () => void }) {
  const form = useForm({ initialValues: valuesOf(device) });
  return (
    <FormDrawer
      opened
      onClose={onClose}
      title={`Edit ${device.external_name}`}
      form={form}
      onSave={async (body, { version }) => {
        const saved = await call("PATCH /v1/admin/devices/{id}", { path: { id: device.id }, body, version });
        await readAgain("/v1/admin/devices");
        said(`${saved.external_name} saved`);
      }}
      editing={{
        version: device.version,
        read: async () => {
          const now = await call("GET /v1/admin/devices/{id}", { path: { id: device.id } });
          return { values: valuesOf(now), version: now.version };
        },
        labels: { external_name: "Name", store_id: "Store", group_id: "Group" },
        show: (field, value) => {
          if (field === "store_id") return places.storeOf(value)?.name ?? "None";
          return field === "group_id" ? (places.groupOf(value)?.name ?? "None") : value;
        },
      }}
    >
      <TextInput label="Name" required {...form.getInputProps("external_name")} />
      <PlaceFields places={places} store={form.getInputProps("store_id")} group={form.getInputProps("group_id")} />
    </FormDrawer>
  );
}
