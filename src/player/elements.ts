/** The element of the page with this id. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no #${id}.`);
  return found;
}

/** A new element with a text, or with others in it. */
export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  content: string | (Node | string)[] = "",
  className = "",
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...(typeof content === "string" ? [content] : content));
  return element;
}
