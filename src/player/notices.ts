import type { ClientState } from "../sdk/index.ts";
import type { Stage } from "./stage.ts";

/** What the player says in place of content. */
export interface Message {
  title: string;
  text: string;
  /** One thing that a person in front of the screen can do about it. */
  button?: { label: string; press: () => void };
}

/** How long an idle screen says why: long enough for who has just set it up, and not all night in a shop. */
const IDLE_NOTICE_MS = 60_000;

/** What can be done about a message by its button. */
export interface NoticeActions {
  pairAgain: () => void;
}

/**
 * What the player says in place of content; null where it shows some, or had better stay dark. `idleForMs`: for how long nothing has
 * been due; `ready`: whether it has looked for its plan and files. Pure.
 */
export function noticeOf(
  state: ClientState,
  stage: Pick<Stage, "idle" | "on" | "plan">,
  { idleForMs, ready }: { idleForMs: number; ready: boolean },
  actions: NoticeActions,
): Message | null {
  switch (state.kind) {
    case "off":
    case "unpaired":
      return null;
    case "elsewhere":
      return {
        title: "This screen plays in another window",
        text: "One player at a time: this one takes over when the other is closed.",
      };
    case "failed":
      return { title: "The player cannot start", text: `${state.problem} It tries again by itself.` };
    case "stopped":
      return {
        title: "This screen is no longer part of the network",
        text: `The server takes nothing more from it (${state.code}).`,
        button: { label: "Pair it again", press: actions.pairAgain },
      };
    case "running":
      return stage.on || idleForMs > IDLE_NOTICE_MS ? null : idleNotice(stage, ready);
  }
}

function idleNotice({ idle, plan }: Pick<Stage, "idle" | "plan">, ready: boolean): Message | null {
  if (!plan) return { title: "Waiting for a plan", text: "This screen is paired. It begins when it has heard what to show." };
  switch (idle) {
    case "empty":
      return { title: "Nothing is scheduled now", text: "This screen begins by itself when something is due." };
    case "passed":
      return ready
        ? { title: "Nothing can be shown now", text: "What is due is not here, or has been shown as often as it may be." }
        : { title: "Getting the content", text: "This screen begins as soon as the first file is here." };
    case "before":
    case "over":
      return { title: "There is no plan for this time", text: "The screen's clock may be wrong, or it has long been without a network." };
    default:
      return null;
  }
}
