/** Where tests say what a receiver answers, and read what it got. */
export const CONTROL_HOST = "control.receiver-of-tests.com";
export const RECEIVER_HOST = "hooks.receiver-of-tests.com";

/** One answer of a receiver: 204 without more. */
export interface Answering {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Never answers. */
  hang?: true;
  /** Answers when so many requests wait for an answer, and a moment later, so that one too many would be seen. */
  together?: number;
  /** Breaks the connection off. */
  drop?: true;
}

/** A request as it arrived. */
export interface Received {
  host: string;
  /** How many requests waited for an answer then, this one included. */
  open: number;
  method: string;
  headers: Record<string, string>;
  body: string;
}
