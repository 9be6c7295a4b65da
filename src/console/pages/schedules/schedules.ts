import { call } from "../../api/client.ts";
import { readAgain } from "../../api/query.ts";
import { failed, said, undoable } from "../../parts/notes.tsx";
import type { Schedule } from "./rules-words.ts";

/** Reads again what shows schedules, and what plays by them. */
export async function readSchedulesAgain(): Promise<void> {
  await readAgain("/v1/admin/schedules", "/v1/admin/devices");
}

/** Archives or restores a schedule, and offers to take it back. */
export async function setArchived({ id, name }: Schedule, archived: boolean): Promise<void> {
  const change = async (to: boolean) => {
    await call("PATCH /v1/admin/schedules/{id}", { path: { id }, body: { archived: to } });
    await readSchedulesAgain();
  };
  try {
    await change(archived);
    undoable(archived ? `Archived ${name}` : `Restored ${name}`, () => change(!archived));
  } catch (error) {
    failed(archived ? "Not archived" : "Not restored", error);
  }
}

export async function deleteSchedule({ id, name }: Schedule): Promise<void> {
  await call("DELETE /v1/admin/schedules/{id}", { path: { id } });
  await readSchedulesAgain();
  said(`Deleted ${name}`);
}
