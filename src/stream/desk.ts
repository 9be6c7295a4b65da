import { uuidv7 } from "uuidv7";
import type { OpenCommand } from "../devices/commands.ts";
import { showCommand } from "../devices/heartbeat-wire.ts";
import type { DeviceProfile } from "../devices/profile.ts";
import { requireStanding } from "../devices/standing.ts";
import { authenticateDevice, verifyDeviceToken } from "../devices/token.ts";
import { Problem, problemBody } from "../platform/errors.ts";
import { asProblem, correlationIdOf, describeError } from "../platform/http.ts";
import { log } from "../platform/log.ts";
import { toIso } from "../platform/time.ts";
import { refuseFlood } from "../plays/intake/flood.ts";
import { wholeRefusal } from "../plays/intake/receive.ts";
import { ABNORMAL_CLOSURE, answerTo, CLOSINGS, type Closing, closingOf, notAuthorised } from "./closing.ts";
import { noteConnected, noteGone } from "./connected.ts";
import { errorFrame, type OutFrame, readFrame } from "./frames.ts";
import { MAX_FRAME_BYTES, MAX_FRAMES_WAITING, MAX_WAITING_BYTES } from "./limits.ts";
import { STREAM_PATH, SUBPROTOCOL } from "./protocol.ts";
import { type FrameHost, takeFrame } from "./take.ts";

/** What of the object the desk uses. */
export interface StreamHost extends FrameHost {
  deviceId(): string;
  /** Where the device's numbers stand. */
  position(): { epoch: string; expectedSequence: number };
  /** Of these commands those that the device has not said anything of yet. */
  due(commands: readonly OpenCommand[], now: number): OpenCommand[];
}

/** What a socket carries while the object is out of memory. */
interface Attachment {
  /** Judged anew at each frame, as at each request. */
  token: string;
  familyId: string;
  /** When it was opened (ms); a later one's is always larger. */
  since: number;
  /** Whether D1 knows of it. */
  noted: boolean;
}

/**
 * A device's live stream inside its object: one WebSocket, which stays open while the object is out of memory. All that must be known of
 * it then stands in its attachment. There are no timers: an idle socket costs nothing.
 */
export class StreamDesk {
  /** Frames are taken one after the other: logs of a later one must not come before an earlier one's. */
  #turn: Promise<void> = Promise.resolve();
  #waiting = { frames: 0, bytes: 0 };

  constructor(
    private readonly ctx: DurableObjectState,
    private readonly host: StreamHost,
  ) {}

  /** Opens the stream for a request whose token stands in `Authorization`. What is refused is a problem document. */
  async connect(request: Request): Promise<Response> {
    try {
      return await this.#open(request.headers, Date.now());
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status >= 500) log("error", "stream not opened", { error: describeError(problem.cause ?? problem) });
      return new Response(JSON.stringify(problemBody(problem, correlationIdOf(request.headers))), {
        status: problem.status,
        headers: { "Content-Type": "application/problem+json", ...problem.options.headers },
      });
    }
  }

  async #open(headers: Headers, now: number): Promise<Response> {
    const identity = await authenticateDevice(headers, this.host.env(), now);
    const profile = await this.#profile();
    requireStanding({ status: profile.status, token_family_id: profile.familyId }, identity);
    // Nothing is awaited from here on: the newest is the one that stays.
    const older = this.#sockets();
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    this.ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    const since = Math.max(now, ...older.map((socket) => attached(socket).since + 1));
    const token = (headers.get("Authorization") ?? "").replace(/^Bearer +/i, "");
    attach(server, { token, familyId: identity.familyId, since, noted: false });
    for (const socket of older) close(socket, CLOSINGS.replaced);
    const { epoch, expectedSequence } = this.host.position();
    send(server, { type: "welcome", server_time: toIso(now), epoch, expected_sequence: expectedSequence });
    for (const command of this.host.due(profile.commands ?? [], now)) send(server, commandFrame(command));
    this.ctx.waitUntil(this.#note(server));
    return new Response(null, { status: 101, webSocket: client, headers: { "Sec-WebSocket-Protocol": SUBPROTOCOL } });
  }

  async #profile(): Promise<DeviceProfile> {
    let profile: DeviceProfile | null;
    try {
      profile = await this.host.profile();
    } catch (cause) {
      throw new Problem("service-unavailable", "The device cannot be looked up now.", { headers: { "Retry-After": "5" }, cause });
    }
    if (!profile) throw wholeRefusal({ kind: "unknown-device" });
    return profile;
  }

  /** Takes what came in, behind what came before it. */
  async message(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    // The device's clock is told by this, so it is when the frame came, however long it waits for its turn.
    const receivedAt = Date.now();
    if (typeof message !== "string") return close(socket, CLOSINGS.binary);
    const bytes = Buffer.byteLength(message);
    if (bytes > MAX_FRAME_BYTES) return close(socket, CLOSINGS.tooLarge);
    if (this.#waiting.frames >= MAX_FRAMES_WAITING || this.#waiting.bytes + bytes > MAX_WAITING_BYTES)
      return close(socket, CLOSINGS.backlog);
    this.#waiting.frames += 1;
    this.#waiting.bytes += bytes;
    this.#turn = this.#turn.then(() => this.#take(socket, message, bytes, receivedAt));
    await this.#turn;
  }

  /** Never throws: a frame that fails must not hold up the next. */
  async #take(socket: WebSocket, text: string, bytes: number, receivedAt: number): Promise<void> {
    this.#waiting.frames -= 1;
    this.#waiting.bytes -= bytes;
    // Nobody would hear the answer: whoever sent this sends it again.
    if (socket.readyState !== WebSocket.OPEN) return;
    const correlationId = uuidv7();
    const read = readFrame(text);
    try {
      const identity = await verifyDeviceToken(attached(socket).token, this.host.env(), receivedAt);
      const { deviceId, familyId: tokenId } = identity;
      const caller = { correlationId, tokenId, deviceId, endpoint: STREAM_PATH };
      await refuseFlood(this.host.env(), caller, receivedAt, "put more logs into each frame");
      if ("problem" in read) throw read.problem;
      send(socket, await takeFrame({ frame: read.frame, bytes, identity, receivedAt, correlationId }, this.host));
      if (read.frame.type === "heartbeat") await this.#note(socket);
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status >= 500)
        log("error", "frame failed", { correlation_id: correlationId, error: describeError(problem.cause ?? problem) });
      const closing = closingOf(problem);
      if (closing) close(socket, closing);
      else send(socket, errorFrame("frame" in read ? read.frame.id : read.id, problem, correlationId));
    }
  }

  /** A socket ended: by the device, by us, or by itself. */
  async ended(socket: WebSocket, code = ABNORMAL_CLOSURE): Promise<void> {
    close(socket, { code: answerTo(code), reason: "" });
    const { since } = attached(socket);
    try {
      await noteGone(this.host.env().DB, this.host.deviceId(), since);
    } catch (error) {
      log("warn", "end of a stream not noted", { error: describeError(error) });
    }
  }

  /** Tells the device that its plan has changed. False: it is not connected. */
  tellPlan(): boolean {
    const sockets = this.#sockets();
    for (const socket of sockets) send(socket, { type: "plan" });
    return sockets.length > 0;
  }

  /** The object is about to hold another profile: who may not be here any more is closed, and new commands are told. */
  profileChanged(before: DeviceProfile | null, after: DeviceProfile, now: number): void {
    const known = new Set((before?.commands ?? []).map(({ id }) => id));
    for (const socket of this.#sockets()) {
      if (after.status === "revoked") close(socket, CLOSINGS.revoked);
      else if (after.status !== "active" || after.familyId !== attached(socket).familyId) close(socket, notAuthorised("TOKEN_SUPERSEDED"));
      else {
        const fresh = (after.commands ?? []).filter(({ id }) => !known.has(id));
        for (const command of this.host.due(fresh, now)) send(socket, commandFrame(command));
      }
    }
  }

  /** Lets D1 know that the device is connected, where it does not yet: else nobody would tell the device of changes. Never throws. */
  async #note(socket: WebSocket): Promise<void> {
    const attachment = attached(socket);
    if (attachment.noted) return;
    try {
      const changed = await noteConnected(this.host.env().DB, this.host.deviceId(), attachment.since);
      attach(socket, { ...attachment, noted: true });
      if (changed) send(socket, { type: "plan" });
    } catch (error) {
      // The next heartbeat tries again, and says itself whether the plan has changed.
      log("warn", "stream not noted", { error: describeError(error) });
    }
  }

  /** The sockets that are open: one, for the time of a replacement two. */
  #sockets(): WebSocket[] {
    return this.ctx.getWebSockets().filter((socket) => socket.readyState === WebSocket.OPEN);
  }
}

function commandFrame(command: OpenCommand): OutFrame {
  return { type: "command", command: showCommand(command) };
}

function attach(socket: WebSocket, attachment: Attachment): void {
  socket.serializeAttachment(attachment);
}

function attached(socket: WebSocket): Attachment {
  return socket.deserializeAttachment() as Attachment;
}

/** A socket that broke meanwhile hears nothing: what was not answered is sent again. */
function send(socket: WebSocket, frame: OutFrame): void {
  try {
    socket.send(JSON.stringify(frame));
  } catch (error) {
    log("debug", "frame not sent", { type: frame.type, error: describeError(error) });
  }
}

function close(socket: WebSocket, { code, reason }: Closing): void {
  try {
    socket.close(code, reason);
  } catch (error) {
    log("debug", "socket not closed", { code, error: describeError(error) });
  }
}
