import { Text, Textarea } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useEffect, useState } from "react";
import { call } from "../../api/client.ts";
import { readAgain } from "../../api/query.ts";
import type { Incident } from "../../api/schema.ts";
import { FormPage } from "../../parts/form.tsx";
import { said } from "../../parts/notes.tsx";

type Noted = Pick<Incident, "id" | "notes" | "version">;

/** Notes on an incident. While they are being written, somebody else's are not put in their place: saving shows both. */
export function NotesForm({ incident }: { incident: Noted }) {
  const [base, setBase] = useState<Noted>(incident);
  const [dirty, setDirty] = useState(false);
  useEffect(() => {
    if (!dirty && incident.version > base.version) setBase(incident);
  }, [dirty, incident, base.version]);
  return <Writing key={base.version} base={base} latest={incident} onDirty={setDirty} onSaved={setBase} />;
}

function Writing({
  base: { id, notes, version },
  latest,
  onDirty,
  onSaved,
}: {
  base: Noted;
  latest: Noted;
  onDirty: (dirty: boolean) => void;
  onSaved: (saved: Noted) => void;
}) {
  const form = useForm({ initialValues: { notes: notes ?? "" } });
  const dirty = form.isDirty();
  useEffect(() => onDirty(dirty), [dirty, onDirty]);
  const [saved, setSaved] = useState<Noted | null>(null);
  return (
    <FormPage
      form={form}
      saveLabel="Save notes"
      editing={{
        version,
        labels: { notes: "Notes" },
        read: async () => {
          const now = await call("GET /v1/admin/incidents/{id}", { path: { id } });
          return { values: { notes: now.notes ?? "" }, version: now.version };
        },
      }}
      onSave={async ({ notes: text }, context) => {
        // What changed but the notes, such as an acknowledgement, is in nobody's way.
        const read = context.version === version && latest.notes === notes ? latest.version : context.version;
        setSaved(await call("PATCH /v1/admin/incidents/{id}", { path: { id }, body: { notes: text.trim() || null }, version: read }));
      }}
      onDone={() => {
        onDirty(false);
        said("Notes saved");
        void readAgain("/v1/admin/incidents", "/v1/admin/audit-log");
      }}
    >
      <Textarea
        aria-label="Notes"
        description="What was found and done; whoever comes next reads it here."
        autosize
        minRows={3}
        maxRows={12}
        {...form.getInputProps("notes")}
      />
      {saved && <Follow saved={saved} onSaved={onSaved} />}
      {dirty && (
        <Text size="xs" c="dimmed">
          Not saved yet
        </Text>
      )}
    </FormPage>
  );
}

/** The next saving is of what was saved now. */
function Follow({ saved, onSaved }: { saved: Noted; onSaved: (saved: Noted) => void }) {
  useEffect(() => onSaved(saved), [saved, onSaved]);
  return null;
}
