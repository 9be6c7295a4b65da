import { byId, make } from "./elements.ts";
import type { Message } from "./notices.ts";

let shown: string | null = null;

/** Shows a message over everything; null takes it away. The same one again changes nothing. */
export function showMessage(message: Message | null): void {
  const words = message && `${message.title}\n${message.text}`;
  if (words === shown) return;
  shown = words;
  const section = byId("message");
  section.hidden = message === null;
  section.replaceChildren();
  if (!message) return;
  section.append(make("h1", message.title), make("p", message.text));
  if (!message.button) return;
  const button = make("button", message.button.label);
  button.addEventListener("click", message.button.press);
  section.append(button);
}
