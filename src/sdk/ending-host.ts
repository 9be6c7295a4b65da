import type { Host } from "./host.ts";

/** The host, whose requests and pauses end at the latest when the signal comes: a player that stops does not wait for its network. */
export function endingHost(host: Host, signal: AbortSignal): Host {
  const { openSocket } = host;
  return {
    fetch: (url, request) => unlessEnded(() => host.fetch(url, request), signal),
    ...(openSocket ? { openSocket: (url, protocols, listener) => openSocket.call(host, url, protocols, listener) } : {}),
    wallClock: () => host.wallClock(),
    monotonic: () => host.monotonic(),
    random: () => host.random(),
    uuid: () => host.uuid(),
    sleep: (ms, own) => host.sleep(ms, own ? AbortSignal.any([own, signal]) : signal),
  };
}

async function unlessEnded<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) throw new TypeError("The player was stopped.");
  const ended = Promise.withResolvers<never>();
  const end = () => ended.reject(new TypeError("The player was stopped."));
  signal.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([work(), ended.promise]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}
