import { describe, expect, test } from "vitest";
import { type Command, type CommandBook, CommandDesk, type CommandHandler, type CommandResult } from "../../src/sdk/commands.ts";
import { Disk } from "./paired.ts";

const command = (id: string, type: string, params: Record<string, unknown> = {}): Command => ({ id, type, params });
const done = (id: string, detail: Record<string, unknown> | null = null): CommandResult => ({ id, status: "done", detail });

async function setUp(handlers: Record<string, CommandHandler>, disk = new Disk<CommandBook>()) {
  const desk = await CommandDesk.open(disk, handlers);
  const take = async (commands: Command[], told: CommandResult[] = []) => {
    await desk.take(told, commands);
    await desk.idle();
    return desk.results();
  };
  return { desk, disk, take };
}

describe("a command", () => {
  test("is executed with its parameters, and what its handler says is its result", async () => {
    const heard: unknown[] = [];
    const { take } = await setUp({
      set_volume: async (params) => {
        heard.push(params);
        return { level: params.level };
      },
      clear_cache: async () => null,
    });
    expect(await take([command("a", "set_volume", { level: 40 }), command("b", "clear_cache")])).toEqual([
      done("a", { level: 40 }),
      done("b"),
    ]);
    expect(heard).toEqual([{ level: 40 }]);
  });

  test("is executed once however often it is repeated, in one answer, while it runs, and after its result was heard", async () => {
    let times = 0;
    const gate = Promise.withResolvers<void>();
    const { desk, take } = await setUp({
      update: async () => {
        times += 1;
        await gate.promise;
        return null;
      },
    });
    await desk.take([], [command("a", "update"), command("a", "update")]);
    await desk.take([], [command("a", "update")]);
    expect(desk.results()).toEqual([]);
    gate.resolve();
    const told = await take([command("a", "update")]);
    expect(told).toEqual([done("a")]);
    expect(await take([], told)).toEqual([]);
    expect(await take([command("a", "update")])).toEqual([]);
    expect(times).toBe(1);
  });

  test.each(["dance", "constructor"])("of an unknown type (%s) is reported failed", async (type) => {
    const { take } = await setUp({});
    expect(await take([command("a", type)])).toEqual([
      { id: "a", status: "failed", detail: { error: `This player does not know the command ${type}.` } },
    ]);
  });

  test("whose handler throws failed with the error's text", async () => {
    const { take } = await setUp({
      screenshot: async () => {
        throw new Error("no screen");
      },
    });
    expect(await take([command("a", "screenshot")])).toEqual([{ id: "a", status: "failed", detail: { error: "no screen" } }]);
  });

  test("says no more of itself than the server takes", async () => {
    const { take } = await setUp({
      screenshot: async () => ({ pixels: "x".repeat(3000) }),
      reboot: async () => {
        throw new Error("y".repeat(3000));
      },
    });
    expect(await take([command("a", "screenshot"), command("b", "reboot")])).toEqual([
      done("a", { omitted: "over 2000 characters" }),
      { id: "b", status: "failed", detail: { error: "y".repeat(500) } },
    ]);
  });

  test("waits for the one of its type before it, and for no other", async () => {
    const gate = Promise.withResolvers<void>();
    const order: string[] = [];
    const { desk } = await setUp({
      set_volume: async ({ level }) => {
        if (level === 10) await gate.promise;
        order.push(`volume ${level}`);
        return null;
      },
      refresh_plan: async () => {
        order.push("plan");
        return null;
      },
    });
    await desk.take(
      [],
      [command("a", "set_volume", { level: 10 }), command("b", "set_volume", { level: 90 }), command("c", "refresh_plan")],
    );
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(order).toEqual(["plan"]);
    gate.resolve();
    await desk.idle();
    expect(order).toEqual(["plan", "volume 10", "volume 90"]);
  });
});

describe("results", () => {
  test("are repeated until the answer names their command no more", async () => {
    const { take } = await setUp({ refresh_plan: async () => null });
    const told = await take([command("a", "refresh_plan"), command("b", "refresh_plan")]);
    expect(await take([command("b", "refresh_plan")], told)).toEqual([done("b")]);
    expect(await take([], [done("b")])).toEqual([]);
  });

  test("that the heartbeat did not carry are not taken for heard", async () => {
    const { take } = await setUp({ refresh_plan: async () => null });
    await take([command("a", "refresh_plan")]);
    expect(await take([], [])).toEqual([done("a")]);
  });

  test("go twenty at a time, the oldest first", async () => {
    const { take } = await setUp({ refresh_plan: async () => null });
    const all = Array.from({ length: 25 }, (_, index) => command(`c${index}`, "refresh_plan"));
    const told = await take(all);
    expect(told.map(({ id }) => id)).toEqual(all.slice(0, 20).map(({ id }) => id));
    expect((await take(all.slice(20), told)).map(({ id }) => id)).toEqual(["c20", "c21", "c22", "c23", "c24"]);
  });
});

describe("after a restart", () => {
  test("nothing is executed again, and a result that was not heard is still told", async () => {
    let times = 0;
    const handlers = {
      set_volume: async () => {
        times += 1;
        return { level: 5 };
      },
    };
    const { disk, take } = await setUp(handlers);
    await take([command("a", "set_volume")]);
    const again = await setUp(handlers, disk);
    expect(again.desk.results()).toEqual([done("a", { level: 5 })]);
    expect(await again.take([command("a", "set_volume")])).toEqual([done("a", { level: 5 })]);
    expect(times).toBe(1);
  });

  test("a reboot that was begun is done, and anything else that was begun has failed", async () => {
    const never = () => new Promise<null>(() => {});
    const { desk, disk } = await setUp({ reboot: never, clear_cache: never });
    await desk.take([], [command("a", "reboot"), command("b", "clear_cache")]);
    await new Promise((resolve) => setTimeout(resolve, 0));
    const again = await setUp({ reboot: never, clear_cache: never }, disk);
    expect(again.desk.results()).toEqual([
      done("a", { restarted: true }),
      { id: "b", status: "failed", detail: { error: "The player ended while it was at it." } },
    ]);
    expect((await again.take([command("a", "reboot"), command("b", "clear_cache")])).length).toBe(2);
  });
});

test("what the disk does not take is not executed, until it does", async () => {
  let times = 0;
  const { disk, take } = await setUp({
    reboot: async () => {
      times += 1;
      return null;
    },
  });
  disk.full = true;
  expect(await take([command("a", "reboot")])).toEqual([]);
  expect(times).toBe(0);
  disk.full = false;
  expect(await take([command("a", "reboot")])).toEqual([done("a")]);
  expect(times).toBe(1);
});
