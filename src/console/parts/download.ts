import { addressOf, send } from "../api/client.ts";
import { failed, said } from "./notes.tsx";

/** Fetches a file as who is signed in, and gives it to the browser to keep. */
export async function download(path: string, query: object, name: string): Promise<void> {
  try {
    const answer = await send("GET", addressOf(path, { query }));
    keep(await answer.blob(), name);
    said(`${name} downloaded`);
  } catch (error) {
    failed("The file was not downloaded", error);
  }
}

/** Gives the browser a file to keep. */
export function keep(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
