import { Group, NumberInput, Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useRef } from "react";
import { useLocation } from "wouter";
import { type CallOptions, call } from "../../api/client.ts";
import { ApiError } from "../../api/error.ts";
import { readAgain, useRows } from "../../api/query.ts";
import { FormDrawer } from "../../parts/form.tsx";
import { said } from "../../parts/notes.tsx";
import { HoursEditor, wordsOfHours } from "./hours-editor.tsx";
import type { Hours, Store } from "./stores.ts";
import { ZonePicker } from "./zone-picker.tsx";

interface Values {
  name: string;
  supplier_id: string;
  timezone: string;
  city: string;
  area: string;
  address: string;
  lat: number | string;
  lng: number | string;
  operating_hours: Hours;
}

const LABELS: { [K in keyof Values]: string } = {
  name: "Name",
  supplier_id: "Supplier",
  timezone: "Time zone",
  city: "City",
  area: "Area",
  address: "Address",
  lat: "Latitude",
  lng: "Longitude",
  operating_hours: "Opening hours",
};

/** Makes a store, or changes one. */
export function StoreForm({ store, opened, onClose }: { store: Store | null; opened: boolean; onClose: () => void }) {
  const [, navigate] = useLocation();
  const suppliers = useRows("GET /v1/admin/suppliers", {}, { all: 1000 });
  const fault = useRef<string | null>(null);
  const made = useRef<string | null>(null);
  const close = () => {
    onClose();
    if (made.current) navigate(`/stores/${made.current}`);
  };
  const form = useForm<Values>({ mode: "controlled", initialValues: valuesOf(store) });
  const names = suppliers.rows.map(({ id, name }) => ({ value: id, label: name }));

  const save = async (values: Values, context: { version: number | undefined; idempotencyKey: string }) => {
    if (fault.current) {
      throw new ApiError(400, "WORDS", "The hours are not understood", fault.current, null, [
        { pointer: "/operating_hours", detail: fault.current },
      ]);
    }
    const body = bodyOf(values);
    const { version, idempotencyKey } = context;
    const saved = store
      ? await call("PATCH /v1/admin/stores/{id}", { path: { id: store.id }, body, version })
      : await call("POST /v1/admin/stores", { body, idempotencyKey } as CallOptions<"POST /v1/admin/stores">);
    await readAgain("/v1/admin/stores");
    said(store ? `Saved ${saved.name}` : `Added ${saved.name}`);
    if (!store) made.current = saved.id;
  };

  const reading = store && {
    version: store.version,
    labels: LABELS,
    show: (field: keyof Values, value: Values[keyof Values]) =>
      field === "operating_hours"
        ? wordsOfHours(value as Hours)
        : field === "supplier_id"
          ? (names.find((one) => one.value === value)?.label ?? String(value))
          : String(value) || "–",
    read: async () => {
      const now = await call("GET /v1/admin/stores/{id}", { path: { id: store.id } });
      return { values: valuesOf(now), version: now.version };
    },
  };

  return (
    <FormDrawer
      opened={opened}
      onClose={close}
      size={560}
      title={store ? `Edit ${store.name}` : "Add store"}
      form={form}
      onSave={save}
      saveLabel={store ? "Save" : "Add store"}
      {...(reading ? { editing: reading } : {})}
    >
      <TextInput label="Name" required withAsterisk={false} data-autofocus {...form.getInputProps("name")} />
      <Select
        label="Supplier"
        description="Who owns the store and its screens."
        data={names}
        searchable
        nothingFoundMessage="No supplier of that name. Suppliers are made in the settings."
        {...form.getInputProps("supplier_id")}
      />
      <ZonePicker
        label="Time zone"
        description="What the store's clock shows. Plans and days follow it."
        {...form.getInputProps("timezone")}
      />
      <Group grow align="flex-start">
        <TextInput label="City" {...form.getInputProps("city")} />
        <TextInput label="Area" {...form.getInputProps("area")} />
      </Group>
      <TextInput label="Address" {...form.getInputProps("address")} />
      <Group grow align="flex-start">
        <NumberInput label="Latitude" min={-90} max={90} decimalScale={6} hideControls {...form.getInputProps("lat")} />
        <NumberInput label="Longitude" min={-180} max={180} decimalScale={6} hideControls {...form.getInputProps("lng")} />
      </Group>
      <HoursEditor
        value={form.values.operating_hours}
        onChange={(hours) => form.setFieldValue("operating_hours", hours)}
        onFault={(said) => {
          fault.current = said;
        }}
      />
    </FormDrawer>
  );
}

function valuesOf(store: Store | null): Values {
  return {
    name: store?.name ?? "",
    supplier_id: store?.supplier_id ?? "",
    timezone: store?.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    city: store?.city ?? "",
    area: store?.area ?? "",
    address: store?.address ?? "",
    lat: store?.lat ?? "",
    lng: store?.lng ?? "",
    operating_hours: store?.operating_hours ?? null,
  };
}

/** What is left empty is null; numbers that were not typed whole stay text, and the server names them. */
function bodyOf({ city, area, address, lat, lng, ...rest }: Values) {
  return {
    ...rest,
    city: city.trim() || null,
    area: area.trim() || null,
    address: address.trim() || null,
    lat: lat === "" ? null : Number(lat),
    lng: lng === "" ? null : Number(lng),
  };
}
