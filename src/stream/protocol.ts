export const STREAM_PATH = "/v1/device/stream";

/** The version of the frames, as a subprotocol (RFC 6455, 1.9). */
export const SUBPROTOCOL = "alive.v1";
const BEARER = "bearer.";

/** What a handshake says besides its path. */
export interface Handshake {
  upgrade: boolean;
  /** Whether it offers {@link SUBPROTOCOL}. */
  version: boolean;
  /** Its `Authorization`: its own, else made of the subprotocol `bearer.<token>`, since browsers send no headers. */
  authorization: string | null;
}

/** Reads the headers of a handshake. Pure. */
export function readHandshake(headers: Headers): Handshake {
  const protocols = (headers.get("Sec-WebSocket-Protocol") ?? "").split(",").map((protocol) => protocol.trim());
  const token = protocols.find((protocol) => protocol.startsWith(BEARER))?.slice(BEARER.length);
  return {
    upgrade: headers.get("Upgrade")?.toLowerCase() === "websocket",
    version: protocols.includes(SUBPROTOCOL),
    authorization: headers.get("Authorization") ?? (token === undefined ? null : `Bearer ${token}`),
  };
}
