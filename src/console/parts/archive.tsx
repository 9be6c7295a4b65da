import { Button } from "@mantine/core";
import { IconArchive, IconRestore } from "@tabler/icons-react";
import { failed, undoable } from "./notes.tsx";

/** Archives or restores a thing of that name by `change`, says so, and offers to take it back. Never throws. */
export async function archiveOrRestore(name: string, archived: boolean, change: (archived: boolean) => Promise<unknown>): Promise<void> {
  try {
    await change(archived);
    undoable(archived ? `Archived ${name}` : `Restored ${name}`, () => change(!archived));
  } catch (error) {
    failed(archived ? "Not archived" : "Not restored", error);
  }
}

/** The button of a thing's page that does so. */
export function ArchiveButton({ archived, set }: { archived: boolean; set: (archived: boolean) => Promise<void> }) {
  return (
    <Button
      variant="default"
      leftSection={archived ? <IconRestore size={16} /> : <IconArchive size={16} />}
      onClick={() => void set(!archived)}
    >
      {archived ? "Restore" : "Archive"}
    </Button>
  );
}
