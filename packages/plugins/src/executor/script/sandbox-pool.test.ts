// The pool of processes: runs take turns, one that waits holds nobody up, too many are refused, and what is stopped or
// dies is told so.

import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { FaultError } from "@capstan/orchestrator";
import { scripts } from "./script.fixture.ts";

const made: ReturnType<typeof scripts>[] = [];
afterAll(async () => {
  for (const one of made) await one.stop();
});

function pool(options: Parameters<typeof scripts>[0]) {
  const one = scripts(options);
  made.push(one);
  return one;
}

const codeOf = (run: Promise<unknown>): Promise<unknown> =>
  run.then(
    (value) => value,
    (thrown: unknown) => (thrown instanceof FaultError ? thrown.code : thrown),
  );

const nested = 'export default async (input, { perform }) => (await perform("inner", input)).output;';
const endless = "export default () => { for (;;); };";
const stuck = "export default () => [].indexOf.call({ length: 2 ** 53 - 1 }, 1);";

describe("a pool of scripts", () => {
  test("takes all of many runs with one process", async () => {
    const { run } = bound(pool({ slots: 1, processes: 1 }));
    const runs = Array.from({ length: 20 }, (_, i) => run("export default (input) => input;", { input: i }));
    expect(await Promise.all(runs)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  test("lends the slot of a run that waits: a script that performs a script needs no second one", async () => {
    const { run } = bound(pool({ slots: 1, processes: 3 }));
    const perform = (_: string, input: unknown): unknown =>
      input === 0 ? "bottom" : run(nested, { input: (input as number) - 1, perform });
    expect(await run(nested, { input: 1, perform })).toBe("bottom");
  });

  test("refuses what would wait for itself for ever", async () => {
    const { run } = bound(pool({ slots: 1, processes: 2 }));
    const perform = (_: string, input: unknown): unknown => run(nested, { input, perform });
    expect(await codeOf(run(nested, { perform }))).toBe("SCRIPT_BUSY");
    expect(await run("export default () => 1;")).toBe(1);
  });

  test("refuses runs beyond its queue, and takes others afterwards", async () => {
    const { run } = bound(pool({ slots: 1, processes: 1, queue: 2 }));
    const configuration = { time: 50 };
    const runs = await Promise.all([1, 2, 3, 4].map(() => codeOf(run(endless, { configuration }))));
    expect(runs.filter((one) => one === "SCRIPT_BUSY").length).toBe(1);
    expect(runs.filter((one) => one === "SCRIPT_TIME").length).toBe(3);
    expect(await run("export default () => 1;")).toBe(1);
  });

  test("ends a run whose signal aborts: one that computes, one that waits, one that is in the queue", async () => {
    const { run } = bound(pool({ slots: 1, processes: 1 }));
    for (const source of [endless, stuck, nested]) {
      const begun = Promise.withResolvers<void>();
      const perform = (): Promise<never> => {
        begun.resolve();
        return new Promise(() => {});
      };
      const abort = new AbortController();
      const queued = new AbortController();
      const running = codeOf(run(source, { signal: abort.signal, perform, configuration: { time: 60_000 } }));
      if (source === nested) await begun.promise;
      const waiting = source === nested ? undefined : codeOf(run(nested, { signal: queued.signal }));
      queued.abort(new FaultError({ code: "LEFT", message: "" }));
      if (waiting !== undefined) expect(await waiting).toBe("LEFT");
      abort.abort();
      expect(await running).toBe("CANCELLED");
      expect(await run("export default () => 1;")).toBe(1);
    }
    const before = AbortSignal.abort(new FaultError({ code: "LEFT", message: "" }));
    expect(await codeOf(run(endless, { signal: before }))).toBe("LEFT");
  });

  test("that stops tells whoever runs or waits, and begins anew for the next", async () => {
    const one = pool({ slots: 1, processes: 1 });
    const { run } = bound(one);
    expect(await run("export default () => 1;")).toBe(1);
    const begun = Promise.withResolvers<void>();
    const perform = (): Promise<never> => {
      begun.resolve();
      return new Promise(() => {});
    };
    const held = codeOf(run(nested, { perform }));
    await begun.promise;
    await one.stop();
    expect(await held).toBe("SCRIPT_LOST");
    expect(await run("export default () => 2;")).toBe(2);
  });
});

test("a process ends with its node, also one in a loop that nothing interrupts", async () => {
  const fixture = new URL("./script.fixture.ts", import.meta.url).pathname;
  const program = `
    import { readFileSync } from "node:fs";
    import { scripts } from ${JSON.stringify(fixture)};
    const source = 'export default async (_, { perform }) => { await perform("begun"); [].indexOf.call({ length: 2 ** 53 - 1 }, 1); };';
    const perform = () => {
      console.log(readFileSync("/proc/self/task/" + process.pid + "/children", "latin1"));
      setImmediate(() => process.kill(process.pid, "SIGKILL"));
    };
    await scripts({ slots: 1 }).run(source, { perform, configuration: { time: 60_000 } });`;
  const node = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe" });
  const child = (await new Response(node.stdout).text()).trim();
  await node.exited;
  expect(child).toMatch(/^\d+$/);
  while (isAlive(child)) await Bun.sleep(5); // another process's end: there is nothing to await, and it needs the processor
});

function isAlive(pid: string): boolean {
  try {
    // Nobody may be there to bury it.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

function bound(one: ReturnType<typeof scripts>) {
  return { run: one.run.bind(one) };
}
