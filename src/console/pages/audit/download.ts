import { addressOf, send } from "../../api/client.ts";
import { failed, said } from "../../parts/notes.tsx";

const FILE = "audit-log.csv";

/** Fetches the entries of a query as who is signed in, and gives the file to the browser to keep. */
export async function downloadCsv(query: object): Promise<void> {
  try {
    const answer = await send("GET", addressOf("/v1/admin/audit-log.csv", { query }));
    const address = URL.createObjectURL(await answer.blob());
    const link = document.createElement("a");
    link.href = address;
    link.download = FILE;
    link.click();
    URL.revokeObjectURL(address);
    said(`${FILE} downloaded`);
  } catch (error) {
    failed("The file was not downloaded", error);
  }
}
