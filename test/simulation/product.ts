// Declared here: the types that bun brings are not those of the Workers runtime.
declare const Bun: {
  plugin(options: {
    name: string;
    setup(build: { module(name: string, load: () => { loader: "object"; exports: Record<string, unknown> }): void }): void;
  }): void;
};

// The classes that the Workers runtime brings. Everything else that runs here is the product's own code.
Bun.plugin({
  name: "cloudflare:workers",
  setup(build) {
    build.module("cloudflare:workers", () => ({
      loader: "object",
      exports: {
        DurableObject: class {
          constructor(
            readonly ctx: unknown,
            readonly env: unknown,
          ) {}
        },
      },
    }));
  },
});

// Imported behind the plug-in: imports written at the top would run before it.
export const { DeviceSequencer } = await import("../../src/plays/sequencer/sequencer.ts");
export const { recordPlays, consumerBreaker } = await import("../../src/plays/ledger/record.ts");
export const { mergePending } = await import("../../src/plays/ledger/daily-sums.ts");
export const { foldTelemetry } = await import("../../src/telemetry/fold.ts");
export const { rollUp } = await import("../../src/plays/ledger/rollup.ts");
export const { sweepOutboxes } = await import("../../src/plays/ledger/sweep.ts");
export const { redriveMany } = await import("../../src/plays/ledger/redrive.ts");
export const { compact } = await import("../../src/plays/archive/compact.ts");
export const { reconcile } = await import("../../src/plays/archive/reconcile.ts");
export const { deliverProfiles } = await import("../../src/devices/push.ts");

/** The consumer, as the platform calls it. */
export async function consumeBatch(batch: MessageBatch<unknown>, env: Env): Promise<void> {
  await recordPlays(batch, env);
}
