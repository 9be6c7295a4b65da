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
  /** Breaks the connection off. */
  drop?: true;
}

/** A request as it arrived. */
export interface Received {
  host: string;
  method: string;
  headers: Record<string, string>;
  body: string;
}
