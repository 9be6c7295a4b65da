import { Alert, Anchor, Button, Drawer, Group, List, Stack, Table, Text } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { type ReactNode, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { ApiError, asApiError } from "../api/error.ts";
import { Fault } from "./fault.tsx";
import { leave, useUnsaved } from "./unsaved.tsx";

/** What a save is given besides the values. */
export interface SaveContext {
  /** The version to change (`call(…, { version })`); undefined for a new thing. */
  version: number | undefined;
  /** The same for the same values, so that saving again after a lost answer makes nothing twice (`call(…, { idempotencyKey })`). */
  idempotencyKey: string;
}

/** What a form needs where two people may edit one thing. */
export interface Editing<V> {
  /** The version that was read. */
  version: number;
  /** Reads the thing as it is now, after somebody else has changed it. */
  read: () => Promise<{ values: V; version: number }>;
  /** The names of the fields, for showing both. */
  labels: { [K in keyof V]?: string };
  /** A field's value in words, where its plain text says little. */
  show?: (field: keyof V, value: V[keyof V]) => ReactNode;
}

interface FormBodyProps<V extends object> {
  form: UseFormReturnType<V>;
  /** Saves. @throws ApiError, which is shown at the fields that it names. */
  onSave: (values: V, context: SaveContext) => Promise<unknown>;
  onDone: () => void;
  onCancel?: () => void;
  editing?: Editing<V>;
  saveLabel?: string;
  children: ReactNode;
}

/**
 * A form in a drawer: one column, labels above, faults at the field and summed at the top. Typed values outlast an expired session, a
 * server that is away, and somebody else's change: theirs are shown beside yours, and yours are kept until you decide.
 */
export function FormDrawer<V extends object>({
  opened,
  onClose,
  title,
  size = 480,
  ...body
}: Omit<FormBodyProps<V>, "onCancel" | "onDone"> & { opened: boolean; onClose: () => void; title: string; size?: number }) {
  return (
    <Drawer opened={opened} onClose={() => leave(onClose)} title={title} size={size}>
      {opened && <FormBody {...body} onDone={onClose} onCancel={() => leave(onClose)} />}
    </Drawer>
  );
}

/** The same form as part of a page. */
export function FormPage<V extends object>({ width = 560, ...props }: FormBodyProps<V> & { width?: number | string }) {
  return (
    <div style={{ maxWidth: width }}>
      <FormBody {...props} />
    </div>
  );
}

function FormBody<V extends object>({ form, onSave, onDone, onCancel, editing, saveLabel = "Save", children }: FormBodyProps<V>) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [theirs, setTheirs] = useState<{ values: V; version: number } | null>(null);
  const [done, setDone] = useState(false);
  const version = useRef(editing?.version);
  const keys = useRef(new Map<string, string>());
  useUnsaved(!done && form.isDirty());

  const save = async (values: V) => {
    setBusy(true);
    setError(null);
    const text = JSON.stringify(values);
    const idempotencyKey = keys.current.get(text) ?? crypto.randomUUID();
    keys.current.set(text, idempotencyKey);
    try {
      await onSave(values, { version: version.current, idempotencyKey });
      // At once, so that where it leads next is not taken for leaving something unsaved.
      flushSync(() => setDone(true));
      onDone();
    } catch (thrown) {
      const fault = asApiError(thrown);
      if (fault.outdated && editing) setTheirs(await editing.read().catch(() => null));
      form.setErrors(Object.fromEntries(fault.fields.map(({ pointer, detail }) => [pathOf(pointer), detail])));
      setError(fault);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form onSubmit={form.onSubmit((values) => void save(values))} noValidate>
      <Stack gap="md">
        {error?.outdated && theirs && editing ? (
          <Conflict
            mine={form.getValues()}
            theirs={theirs.values}
            editing={editing}
            onMine={() => {
              version.current = theirs.version;
              setTheirs(null);
              void save(form.getValues());
            }}
            onTheirs={() => {
              version.current = theirs.version;
              form.setValues(theirs.values);
              form.resetDirty(theirs.values);
              setTheirs(null);
              setError(null);
            }}
          />
        ) : (
          error && <FaultOfForm error={error} form={form} />
        )}
        {children}
        <Group justify="flex-end" gap="xs" pt="xs">
          {onCancel && (
            <Button variant="default" onClick={onCancel}>
              Cancel
            </Button>
          )}
          <Button type="submit" loading={busy}>
            {saveLabel}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** A form's path (`rules.dayparts.0.from`) of a JSON pointer (`/rules/dayparts/0/from`). */
export function pathOf(pointer: string): string {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .join(".");
}

/** What stands above a field; null where it has no label. */
function labelOf(field: HTMLElement | null): string | null {
  const label = field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement ? field.labels?.[0] : undefined;
  // The mark of what is required is drawn, and not said.
  return label
    ? [...label.childNodes]
        .filter((node) => node.nodeType === Node.TEXT_NODE)
        .map((node) => node.textContent)
        .join("")
    : null;
}

function FaultOfForm<V extends object>({ error, form }: { error: ApiError; form: UseFormReturnType<V> }) {
  if (error.fields.length === 0) return <Fault error={error} />;
  return (
    <Fault error={new ApiError(error.status, error.code, error.title, "Look at these fields:", error.correlationId)}>
      <List size="sm">
        {error.fields.map(({ pointer, detail }) => (
          <List.Item key={`${pointer} ${detail}`}>
            <Anchor
              component="button"
              type="button"
              size="sm"
              onClick={() => form.getInputNode(pathOf(pointer) as Parameters<typeof form.getInputNode>[0])?.focus()}
            >
              {labelOf(form.getInputNode(pathOf(pointer) as Parameters<typeof form.getInputNode>[0])) ??
                (pathOf(pointer).replaceAll("_", " ") || "All of it")}
            </Anchor>
            : {detail}
          </List.Item>
        ))}
      </List>
    </Fault>
  );
}

function Conflict<V extends object>({
  mine,
  theirs,
  editing,
  onMine,
  onTheirs,
}: {
  mine: V;
  theirs: V;
  editing: Editing<V>;
  onMine: () => void;
  onTheirs: () => void;
}) {
  const fields = (Object.keys(theirs) as (keyof V)[]).filter((field) => JSON.stringify(mine[field]) !== JSON.stringify(theirs[field]));
  const show = (field: keyof V, value: V[keyof V]) =>
    editing.show?.(field, value) ?? (typeof value === "string" ? value : JSON.stringify(value));
  return (
    <Alert color="yellow" title="Somebody else changed this meanwhile" role="alert">
      <Text size="sm" mb="xs">
        {fields.length === 0 ? "What they saved is the same as what you typed." : "Nothing of yours is lost. These fields differ:"}
      </Text>
      {fields.length > 0 && (
        <Table fz="xs" mb="xs">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Field</Table.Th>
              <Table.Th>Theirs, saved</Table.Th>
              <Table.Th>Yours</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {fields.map((field) => (
              <Table.Tr key={String(field)}>
                <Table.Td>{editing.labels[field] ?? String(field)}</Table.Td>
                <Table.Td>{show(field, theirs[field])}</Table.Td>
                <Table.Td>{show(field, mine[field])}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      <Group gap="xs">
        <Button size="compact-sm" onClick={onMine}>
          Save mine over theirs
        </Button>
        <Button size="compact-sm" variant="default" onClick={onTheirs}>
          Take theirs
        </Button>
      </Group>
    </Alert>
  );
}
