import { ActionIcon, Button, Group, Menu, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import { IconBookmark, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { said, undoable } from "../../parts/notes.tsx";

interface View {
  name: string;
  /** The part of the address behind `?`. */
  search: string;
}

/** Reports that were saved under a name, in this browser. */
export function SavedViews({ search }: { search: string }) {
  const [views, setViews] = useLocalStorage<View[]>({ key: "alive.reports", defaultValue: [], getInitialValueInEffect: false });
  const [saving, setSaving] = useState(false);
  const [name, setName] = useState("");
  const [, navigate] = useLocation();
  const save = () => {
    const trimmed = name.trim();
    if (trimmed === "") return;
    setViews([...views.filter((view) => view.name !== trimmed), { name: trimmed, search }].sort((a, b) => a.name.localeCompare(b.name)));
    setSaving(false);
    setName("");
    said(`View ${trimmed} saved in this browser`);
  };
  const remove = (view: View) => {
    setViews(views.filter((one) => one !== view));
    undoable(`View ${view.name} removed`, async () => setViews(views));
  };
  return (
    <>
      <Menu>
        <Menu.Target>
          <Button variant="default" leftSection={<IconBookmark size={14} />}>
            Views
          </Button>
        </Menu.Target>
        <Menu.Dropdown miw={240}>
          {views.length === 0 && <Menu.Label>No view saved yet</Menu.Label>}
          {views.map((view) => (
            <Group key={view.name} gap={0} wrap="nowrap">
              <Menu.Item onClick={() => navigate(`/reports?${view.search}`)} style={{ flex: 1 }}>
                {view.name}
              </Menu.Item>
              <ActionIcon aria-label={`Remove the view ${view.name}`} onClick={() => remove(view)}>
                <IconTrash size={14} />
              </ActionIcon>
            </Group>
          ))}
          <Menu.Divider />
          <Menu.Item onClick={() => setSaving(true)}>Save this view</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={saving} onClose={() => setSaving(false)} title="Save this view" size="sm">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            save();
          }}
        >
          <Stack gap="sm">
            <TextInput
              label="Name"
              description="One of the same name is replaced"
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              data-autofocus
            />
            <Text size="xs" c="dimmed">
              It is kept in this browser. To share it, send the page's address.
            </Text>
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={() => setSaving(false)}>
                Cancel
              </Button>
              <Button type="submit" disabled={name.trim() === ""}>
                Save
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
