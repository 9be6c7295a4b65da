import { call } from "../../api/client.ts";
import { readAgain } from "../../api/query.ts";
import type { AdGroup, Campaign } from "../../api/schema.ts";
import { failed, said, undoable } from "../../parts/notes.tsx";

/** Archives a campaign, or takes it back into use. Undone from the note. */
export async function archiveCampaign({ id, name }: Pick<Campaign, "id" | "name">, archived: boolean): Promise<void> {
  await archive(name, archived, (value) => call("PATCH /v1/admin/campaigns/{id}", { path: { id }, body: { archived: value } }));
}

/** Likewise an ad group. */
export async function archiveAdGroup({ id, name }: Pick<AdGroup, "id" | "name">, archived: boolean): Promise<void> {
  await archive(name, archived, (value) => call("PATCH /v1/admin/ad-groups/{id}", { path: { id }, body: { archived: value } }));
}

async function archive(name: string, archived: boolean, change: (archived: boolean) => Promise<unknown>): Promise<void> {
  const apply = async (value: boolean) => {
    await change(value);
    await readAgain("/v1/admin/campaigns", "/v1/admin/ad-groups");
  };
  try {
    await apply(archived);
    if (archived) undoable(`${name} archived`, () => apply(false));
    else said(`${name} is in use again`);
  } catch (error) {
    failed(archived ? `${name} was not archived` : `${name} was not taken back`, error);
  }
}
