import { bodyLimit } from "hono/body-limit";
import { Problem } from "../platform/errors.ts";

const BODY_MAX_BYTES = 16 * 1024;

/** What may be sent before anything is known of the sender: room for an RSA key with its proof, and no more. */
export const smallBody = bodyLimit({
  maxSize: BODY_MAX_BYTES,
  onError: () => {
    throw new Problem("payload-too-large", `The body may have ${BODY_MAX_BYTES} bytes at most.`);
  },
});
