/** A CPU profile of the local runtime over its inspector (Chrome DevTools Protocol), summed by function. */

interface ProfileNode {
  id: number;
  callFrame: { functionName: string; url: string; lineNumber: number };
}
interface CpuProfile {
  nodes: ProfileNode[];
  samples: number[];
  timeDeltas: number[];
}

export interface Profiler {
  /** Milliseconds of CPU by function, most first. */
  stop(): Promise<{ function: string; ms: number }[]>;
}

const SAMPLE_EVERY_US = 500;

/** Starts sampling the Worker's own isolate. */
export async function startProfile(inspectorPort: number): Promise<Profiler> {
  const targets = (await (await fetch(`http://127.0.0.1:${inspectorPort}/json`)).json()) as { id: string; webSocketDebuggerUrl: string }[];
  const target = targets.find(({ id }) => id.includes("alive-signage")) ?? targets[0];
  if (!target) throw new Error("the runtime has no inspector target");
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error("the inspector does not answer"));
  });
  const waiting = new Map<number, (result: unknown) => void>();
  socket.onmessage = (event) => {
    const { id, result } = JSON.parse(String(event.data)) as { id?: number; result?: unknown };
    if (id !== undefined) waiting.get(id)?.(result);
  };
  let next = 1;
  const call = <T>(method: string, params: Record<string, unknown> = {}) =>
    new Promise<T>((resolve) => {
      const id = next++;
      waiting.set(id, (result) => resolve(result as T));
      socket.send(JSON.stringify({ id, method, params }));
    });
  await call("Profiler.enable");
  await call("Profiler.setSamplingInterval", { interval: SAMPLE_EVERY_US });
  await call("Profiler.start");
  return {
    stop: async () => {
      const { profile } = await call<{ profile: CpuProfile }>("Profiler.stop");
      socket.close();
      return byFunction(profile);
    },
  };
}

function byFunction({ nodes, samples, timeDeltas }: CpuProfile): { function: string; ms: number }[] {
  const names = new Map(nodes.map((node) => [node.id, `${node.callFrame.functionName || "(anonymous)"}:${node.callFrame.lineNumber + 1}`]));
  const sums = new Map<string, number>();
  samples.forEach((id, index) => {
    const name = names.get(id) ?? "?";
    sums.set(name, (sums.get(name) ?? 0) + (timeDeltas[index] ?? 0) / 1000);
  });
  return [...sums].map(([name, ms]) => ({ function: name, ms: Math.round(ms) })).sort((a, b) => b.ms - a.ms);
}
