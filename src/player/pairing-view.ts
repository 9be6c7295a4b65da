import { byId, make } from "./elements.ts";
import { qrCode } from "./qr.ts";

/** What the pairing page says. */
export interface PairingWords {
  /** The device's own code; null while there is none. */
  code: string | null;
  /** What its QR code leads to: where an administrator approves it. */
  approveUrl: string | null;
  /** Why there is no code, or why one that was typed in does not do. */
  fault: string | null;
  /** Whether a code that was typed in is being tried. */
  busy: boolean;
}

/** The page that is seen until the device is paired. `onCode` hears what somebody types in. */
export class PairingView {
  readonly #section = byId("pairing");
  readonly #code = make("div", "", "code");
  readonly #picture = make("div");
  readonly #fault = make("p", "", "fault");
  readonly #input = make("input");
  readonly #button = make("button", "Pair");
  #shownUrl: string | null = null;

  constructor(onCode: (code: string) => void) {
    this.#code.setAttribute("role", "status");
    this.#fault.setAttribute("role", "alert");
    const input = this.#input;
    Object.assign(input, { autocomplete: "off", spellcheck: false, maxLength: 12, required: true, name: "code" });
    input.setAttribute("autocapitalize", "characters");
    input.id = "given-code";
    const label = make("label", "Have you been given a code?");
    label.htmlFor = input.id;
    const form = make("form", [label, input, this.#button]);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      onCode(input.value);
    });
    const words = [
      make("h1", "Pair this screen"),
      make("p", "Scan the picture, or enter this code in the console under Devices, Pair a device."),
      this.#code,
      form,
      this.#fault,
    ];
    this.#section.replaceChildren(this.#picture, make("div", words, "words"));
  }

  show({ code, approveUrl, fault, busy }: PairingWords): void {
    this.#section.hidden = false;
    this.#code.textContent = code === null ? "····-····" : `${code.slice(0, 4)}-${code.slice(4)}`;
    this.#code.dataset.old = String(code === null);
    this.#fault.textContent = fault ?? "";
    this.#button.disabled = busy;
    if (approveUrl === this.#shownUrl) return;
    this.#shownUrl = approveUrl;
    this.#picture.replaceChildren(...(approveUrl === null ? [] : [qrCode(approveUrl, "The address at which this screen is approved")]));
  }

  hide(): void {
    this.#section.hidden = true;
  }
}
