import { TagsInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useRef } from "react";
import { useLocation } from "wouter";
import { call } from "../../api/client.ts";
import { FormDrawer } from "../../parts/form.tsx";
import { said } from "../../parts/notes.tsx";
import { type Content, readContentAgain } from "./content.ts";

/** Changes what a piece of content is called and tagged. */
export function ContentForm({ content, onClose }: { content: Content; onClose: () => void }) {
  const form = useForm({ initialValues: valuesOf(content) });
  return (
    <FormDrawer
      opened
      onClose={onClose}
      title={`Edit ${content.name}`}
      form={form}
      onSave={async (values, { version }) => {
        const saved = await call("PATCH /v1/admin/content/{id}", {
          path: { id: content.id },
          body: { ...values, external_id: values.external_id.trim() || null },
          version,
        });
        await readContentAgain();
        said(`Saved ${saved.name}`);
      }}
      editing={{
        version: content.version,
        labels: { name: "Name", tags: "Tags", external_id: "External id" },
        show: (_, value) => (Array.isArray(value) ? value.join(", ") : value) || "–",
        read: async () => {
          const now = await call("GET /v1/admin/content/{id}", { path: { id: content.id } });
          return { values: valuesOf(now), version: now.version };
        },
      }}
    >
      <TextInput label="Name" data-autofocus {...form.getInputProps("name")} />
      <TagsInput label="Tags" description="To find it by. Enter adds one." {...form.getInputProps("tags")} />
      <TextInput
        label="External id"
        description="A ULID by which other systems know it, in telemetry as trackId."
        {...form.getInputProps("external_id")}
      />
    </FormDrawer>
  );
}

function valuesOf({ name, tags, external_id }: Content) {
  return { name, tags, external_id: external_id ?? "" };
}

/** Adds a page on the web, which players load by its address. */
export function WebPageForm({ onClose }: { onClose: () => void }) {
  const [, navigate] = useLocation();
  const opens = useRef<string | null>(null);
  const form = useForm({ initialValues: { name: "", url: "" } });
  return (
    <FormDrawer
      opened
      onClose={() => {
        onClose();
        if (opens.current) navigate(`/content/${opens.current}`);
      }}
      title="Add a web page"
      saveLabel="Add web page"
      form={form}
      onSave={async ({ name, url }, { idempotencyKey }) => {
        const made = await call("POST /v1/admin/content", { body: { name, type: "web" }, idempotencyKey });
        await call("POST /v1/admin/content/{id}/versions", { path: { id: made.id }, body: { url } });
        await readContentAgain();
        said(`Added ${made.name}`);
        opens.current = made.id;
      }}
    >
      <TextInput label="Name" data-autofocus {...form.getInputProps("name")} />
      <TextInput
        label="Address"
        type="url"
        description="https:// only. Players load it themselves each time, so it takes a network."
        placeholder="https://"
        {...form.getInputProps("url")}
      />
    </FormDrawer>
  );
}
