// Executions after they were accepted: tried again, cancelled, retried by hand, given up, shown and listed.

import { describe, expect, test } from "bun:test";
import { FaultError, fault, memoryLog } from "@capstan/orchestrator";
import { attach, echo, faultFrom, granted, protocol, startHub } from "../../hub.fixture.ts";
import type { Call } from "../protocol.ts";

/** A protocol that fails until its `good`th call. */
function flaky(good: number) {
  const calls: Pick<Call, "key" | "input" | "id">[] = [];
  const one = protocol("flaky", (call) => {
    calls.push({ key: call.key, input: call.input, id: call.id });
    if (calls.length < good) throw new Error(`call ${calls.length}`);
    return calls.length;
  });
  return { flaky: one, calls };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Turns of the loop until `holds`: what is decided becomes durable in one of them. */
async function until(holds: () => boolean): Promise<void> {
  for (let turns = 0; !holds(); turns++) {
    if (turns > 100_000) throw new Error("it never holds");
    await turn();
  }
}

describe("an action that may be tried again", () => {
  test("is, as often as it says, each time after twice as long, under the same key", async () => {
    const { flaky: protocolOf, calls } = flaky(3);
    const { app, clock } = await startHub({ protocols: [protocolOf] });
    await app.action.register({ name: "f", protocol: "flaky", idempotent: true, attempts: 3, backoff: 100 });
    const performing = app.action.perform({ name: "f", input: { n: 1 } });
    await until(() => calls.length === 1 && clock.set === 1);
    clock.advance(99);
    await turn();
    expect(calls).toHaveLength(1);
    clock.advance(1);
    await until(() => calls.length === 2 && clock.set === 1);
    clock.advance(199);
    expect(calls).toHaveLength(2);
    clock.advance(1);
    const { execution, output } = await performing;
    expect(output).toBe(3);
    expect(calls).toEqual(Array(3).fill({ id: execution, key: execution.replace("x-", "m-"), input: { n: 1 } }));
    const verdicts = await app.log.list({ message: "execution.fail" });
    expect(await app.log.explain({ id: verdicts.items[0]?.id as string })).toMatchObject({
      plugins: expect.arrayContaining([
        { plugin: "executor", verdict: "next", clause: "attempt 2 of 3", wrote: expect.any(Number) },
      ]),
    });
  });

  test("fails with the last fault when its attempts are used up", async () => {
    const { flaky: protocolOf, calls } = flaky(9);
    const { app, clock } = await startHub({ protocols: [protocolOf] });
    await app.action.register({ name: "f", protocol: "flaky", readOnly: true, attempts: 2, backoff: 1 });
    const performing = faultFrom(app.action.perform({ name: "f" }));
    await until(() => clock.set === 1);
    clock.advance(1);
    expect(await performing).toMatchObject({ code: "ACTION_FAILED", message: "f: call 2" });
    expect(calls).toHaveLength(2);
  });

  test("is not where running it twice may do harm, or where trying cannot help", async () => {
    const stale = protocol("stale", () => {
      throw new FaultError(fault("MODULE_CHANGED", "it changed"));
    });
    const { flaky: protocolOf, calls } = flaky(9);
    const { app, clock } = await startHub({ protocols: [protocolOf, echo, stale] });
    await app.action.register({ name: "f", protocol: "flaky", attempts: 5 });
    expect(await faultFrom(app.action.perform({ name: "f" }))).toMatchObject({ message: "f: call 1" });
    await app.action.register({ name: "g", protocol: "echo", idempotent: true, attempts: 5, output: false });
    expect(await faultFrom(app.action.perform({ name: "g" }))).toMatchObject({ code: "OUTPUT_INVALID" });
    await app.action.register({ name: "h", protocol: "stale", idempotent: true, attempts: 5 });
    expect(await faultFrom(app.action.perform({ name: "h" }))).toMatchObject({ code: "MODULE_CHANGED" });
    expect(calls).toHaveLength(1);
    expect(clock.set).toBe(0);
  });
});

describe("what an action ends with", () => {
  /** How often an idempotent action of two attempts is run that fails with this. */
  async function runsOf(fails: () => unknown): Promise<number> {
    let runs = 0;
    const failing = protocol("failing", () => {
      runs++;
      throw fails();
    });
    const { app, clock } = await startHub({ protocols: [failing] });
    await app.action.register({ name: "f", protocol: "failing", idempotent: true, attempts: 2, backoff: 1 });
    let over = false;
    const ended = faultFrom(app.action.perform({ name: "f" })).then(() => {
      over = true;
    });
    await until(() => over || clock.set === 1);
    clock.advance(1);
    await ended;
    return runs;
  }

  test.each([
    ["ACTION_FAILED", 2],
    ["ACTION_CHANGED", 2],
    ["LOG_UNAVAILABLE", 2],
    ["REFUSED", 1],
    ["ACTION_UNKNOWN", 1],
    ["MESSAGE_INVALID", 1],
    ["HOPS_EXCEEDED", 1],
    ["INPUT_INVALID", 1],
    ["MODULE_CHANGED", 1],
    ["OF_ITS_OWN", 1],
    ["constructor", 1],
  ])("is tried again as the fault tables say: %s runs %d times", async (code, runs) => {
    expect(await runsOf(() => new FaultError(fault(code, "thrown")))).toBe(runs);
  });

  test("is tried again where it is no fault at all, even one without a text", async () => {
    expect(await runsOf(() => new Error("away"))).toBe(2);
    expect(await runsOf(() => Object.create(null))).toBe(2);
  });

  test("is tried again where the attempt took too long", async () => {
    let runs = 0;
    const slow = protocol("slow", () => (++runs === 1 ? new Promise(() => {}) : runs));
    const { app, clock } = await startHub({ protocols: [slow] });
    const times = { timeout: 10, attempts: 2, backoff: 1 };
    await app.action.register({ name: "s", protocol: "slow", idempotent: true, ...times });
    const performing = app.action.perform({ name: "s" });
    await until(() => runs === 1);
    clock.advance(10);
    await until(() => clock.set === 1);
    clock.advance(1);
    expect(await performing).toMatchObject({ output: 2 });
  });
});

describe("an execution that runs", () => {
  test("is cancelled: its code is told, its caller gets CANCELLED, and what it then gives is not recorded", async () => {
    const begun = Promise.withResolvers<Call>();
    const ends = Promise.withResolvers<unknown>();
    const stuck = protocol("stuck", (call) => {
      begun.resolve(call);
      return ends.promise;
    });
    const { hub, app } = await startHub({ protocols: [stuck] });
    await app.action.register({ name: "s", protocol: "stuck" });
    const performing = faultFrom(app.action.perform({ name: "s" }));
    const { id: execution, signal } = await begun.promise;
    expect(signal.aborted).toBe(false);
    expect(await app.execution.cancel({ id: execution })).toEqual({ execution });
    expect(await performing).toMatchObject({ code: "CANCELLED", message: `${execution} was cancelled by app` });
    expect(signal.aborted).toBe(true);
    const { revision } = hub.reader;
    ends.resolve("too late");
    await turn();
    expect(hub.reader.revision).toBe(revision);
    expect(await app.execution.show({ id: execution })).toMatchObject({
      state: "failed",
      error: { code: "CANCELLED" },
    });
    expect(await faultFrom(app.execution.cancel({ id: execution }))).toMatchObject({ code: "EXECUTION_UNKNOWN" });
  });
});

describe("retry", () => {
  test("runs again what failed, with what the first was asked, and its outcome is the first's too", async () => {
    const { flaky: protocolOf, calls } = flaky(2);
    const { app } = await startHub({ protocols: [protocolOf] });
    await app.action.register({ name: "f", protocol: "flaky" });
    const failed = await faultFrom(app.action.perform({ name: "f", input: { n: 1 } }));
    const id = (failed.id as string).replace("m-", "x-");
    expect(await app.execution.show({ id })).toMatchObject({ state: "failed" });
    expect(await app.execution.retry({ id })).toEqual({ execution: id, output: 2 });
    expect(calls.map(({ key, input }) => [key, input])).toEqual(Array(2).fill([failed.id, { n: 1 }]));
    expect(await app.execution.show({ id })).toMatchObject({ state: "done", output: 2 });
    expect(await attach(app, { id: failed.id as string })).toEqual({ execution: id, output: 2 });
    expect(await faultFrom(app.execution.retry({ id }))).toMatchObject({ code: "EXECUTION_UNKNOWN" });
  });

  test("is possible once for what failed at once: done is what it is from then on", async () => {
    const { flaky: protocolOf, calls } = flaky(2);
    const { app } = await startHub({ protocols: [protocolOf] });
    await app.action.register({ name: "f", protocol: "flaky", idempotent: true });
    const { id } = await faultFrom(app.action.perform({ name: "f" }));
    const execution = (id as string).replace("m-", "x-");
    expect(await app.execution.retry({ id: execution })).toMatchObject({ output: 2 });
    expect(await app.execution.show({ id: execution })).toMatchObject({ state: "done", output: 2 });
    expect(await attach(app, { id: id as string })).toMatchObject({ output: 2 });
    expect(await faultFrom(app.execution.retry({ id: execution }))).toMatchObject({ code: "EXECUTION_UNKNOWN" });
    expect(calls).toHaveLength(2);
  });

  test("of what then fails once more is tried again with the same input", async () => {
    const { flaky: protocolOf, calls } = flaky(3);
    const { app, clock } = await startHub({ protocols: [protocolOf] });
    await app.action.register({ name: "f", protocol: "flaky" });
    const { id } = await faultFrom(app.action.perform({ name: "f", input: null }));
    await app.action.update({ name: "f", idempotent: true, attempts: 9, backoff: 10 });
    const retried = app.execution.retry({ id: (id as string).replace("m-", "x-") });
    await until(() => calls.length === 2 && clock.set === 1);
    clock.advance(20);
    expect(await retried).toMatchObject({ output: 3 });
    expect(calls.map(({ input }) => input)).toEqual([null, null, null]);
  });

  test("has effects of its own, however often what failed is retried and tried again", async () => {
    const { flaky: protocolOf, calls } = flaky(99);
    const { hub, app, clock } = await startHub({ protocols: [protocolOf] });
    await app.action.register({ name: "f", protocol: "flaky", idempotent: true, attempts: 2, backoff: 1 });
    const failing = async (call: Promise<unknown>) => {
      let over = false;
      const failed = faultFrom(call).finally(() => {
        over = true;
      });
      await until(() => {
        clock.advance(1);
        return over;
      });
      return failed;
    };
    const { id } = await failing(app.action.perform({ name: "f" }));
    for (let n = 0; n < 2; n++) await failing(app.execution.retry({ id: (id as string).replace("m-", "x-") }));
    const owed: string[] = [];
    for (let entry = 1; entry <= hub.reader.revision; entry++) {
      const { rows } = (await app.log.show({ entry })) as { rows?: [table: string, key: string, row?: unknown][] };
      for (const [table, key, row] of rows ?? []) if (table === "effect" && row) owed.push(key);
    }
    expect(owed).toHaveLength(calls.length);
    expect(owed).toEqual([...new Set(owed)]);
    expect(calls).toHaveLength(6);
  });

  test("is cancelled as the first was: its code is told, and its caller gets CANCELLED", async () => {
    const begun = Promise.withResolvers<Call>();
    let runs = 0;
    const second = protocol("second", (call) => {
      if (++runs === 1) throw new Error("first");
      begun.resolve(call);
      return new Promise(() => {});
    });
    const { app } = await startHub({ protocols: [second] });
    await app.action.register({ name: "s", protocol: "second" });
    const failed = await faultFrom(app.action.perform({ name: "s" }));
    const id = (failed.id as string).replace("m-", "x-");
    const retried = faultFrom(app.execution.retry({ id }));
    const { signal } = await begun.promise;
    expect(await app.execution.cancel({ id })).toEqual({ execution: id });
    expect(await retried).toMatchObject({ code: "CANCELLED" });
    expect(signal.aborted).toBe(true);
  });

  test("does not go around a refusal: what was never accepted, or no longer fits, is not run", async () => {
    const { flaky: protocolOf, calls } = flaky(2);
    const { hub, app } = await startHub({ protocols: [protocolOf] });
    await app.action.register({ name: "f", protocol: "flaky" });
    const { scope } = await granted(hub, { principal: "bob", allow: ["execution.*"] });
    const refused = await faultFrom(scope.action.perform({ name: "f" }));
    expect(refused.code).toBe("REFUSED");
    expect(await faultFrom(scope.execution.retry({ id: (refused.id as string).replace("m-", "x-") }))).toMatchObject({
      code: "EXECUTION_UNKNOWN",
    });
    expect(calls).toEqual([]);

    const failed = await faultFrom(app.action.perform({ name: "f", input: 1 }));
    await app.action.update({ name: "f", input: { type: "string" } });
    expect(await faultFrom(app.execution.retry({ id: (failed.id as string).replace("m-", "x-") }))).toMatchObject({
      code: "INPUT_INVALID",
    });
    expect(calls).toHaveLength(1);
  });
});

describe("an execution whose node died", () => {
  /** A node that dies while `name` runs, and the next one on its log. */
  async function afterDeath(idempotent: boolean) {
    const log = memoryLog();
    const begun = Promise.withResolvers<void>();
    let runs = 0;
    const once = protocol("once", () => {
      begun.resolve();
      return ++runs === 1 ? new Promise(() => {}) : runs;
    });
    const first = await startHub({ protocols: [once], log });
    await first.app.action.register({ name: "o", protocol: "once", idempotent });
    const { execution } = await first.app.action.perform({ name: "o" }, { wait: 0 });
    await begun.promise;
    const next = await startHub({ protocols: [once], log: reopened(log), clock: first.clock });
    return { execution, ...next, runs: () => runs };
  }

  test("and that is not idempotent is ambiguous: listed, never run by itself, retried or given up", async () => {
    const { app, execution, runs } = await afterDeath(false);
    expect(await app.execution.list({ state: "ambiguous" })).toMatchObject({ items: [{ id: execution }] });
    expect(await faultFrom(attach(app, { id: execution.replace("x-", "m-") }))).toMatchObject({
      code: "EXECUTION_AMBIGUOUS",
    });
    expect(runs()).toBe(1);
    expect(await app.execution.abandon({ id: execution })).toEqual({ execution });
    expect(await app.execution.show({ id: execution })).toMatchObject({
      state: "failed",
      error: { code: "EXECUTION_ABANDONED" },
    });
    expect(await faultFrom(app.execution.abandon({ id: execution }))).toMatchObject({ code: "EXECUTION_UNKNOWN" });
  });

  test("may be retried while it is ambiguous", async () => {
    const { app, execution, runs } = await afterDeath(false);
    expect(await app.execution.retry({ id: execution })).toEqual({ execution, output: 2 });
    expect(runs()).toBe(2);
    expect(await app.execution.list({ state: "ambiguous" })).toMatchObject({ items: [] });
  });

  test("and that is idempotent is run again by itself", async () => {
    const { app, execution } = await afterDeath(true);
    expect(await attach(app, { id: execution.replace("x-", "m-") })).toEqual({ execution, output: 2 });
  });
});

/** The same log as the next process opens it. */
function reopened(log: ReturnType<typeof memoryLog>): ReturnType<typeof memoryLog> {
  return new Proxy(log, {
    get(target, name) {
      if (name === "epoch") return target.epoch + 1;
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

describe("executions", () => {
  test("are listed newest first, by pages, by action and state, as far as the caller may read", async () => {
    const { flaky: protocolOf } = flaky(2);
    const { hub, app } = await startHub({ protocols: [protocolOf, echo] });
    await app.action.register({ name: "f", protocol: "flaky" });
    await app.action.register({ name: "team/e", protocol: "echo" });
    await faultFrom(app.action.perform({ name: "f" }));
    for (let input = 0; input < 5; input++) await app.action.perform({ name: "team/e", input });
    const actions = async (data: Parameters<typeof app.execution.list>[0], scope = app) => {
      const page = await scope.execution.list(data);
      return { names: page.items.map((one) => (one as { action: string }).action).join(" "), next: page.next };
    };
    expect((await actions({ limit: 10 })).names).toBe("team/e team/e team/e team/e team/e f");
    expect((await actions({ state: "failed" })).names).toBe("f");
    expect((await actions({ action: "team/e", limit: 3 })).names).toBe("team/e team/e team/e");
    const first = await actions({ limit: 4 });
    expect((await actions({ before: first.next as string })).names).toBe("team/e f");
    const { scope } = await granted(hub, { principal: "bob", allow: ["execution.*"], read: ["default"] });
    expect((await actions({}, scope)).names).toBe("f");
  });

  test("are reached behind however many entries that are none: a page may be empty, and has a next", async () => {
    const { app } = await startHub();
    await app.action.register({ name: "e", protocol: "echo" });
    const { execution } = await app.action.perform({ name: "e" });
    const names = Array.from({ length: 20_100 }, (_, i) => `p-${i}`);
    await Promise.all(names.map((name) => app.principal.create({ name })));
    const first = await app.execution.list();
    expect(first).toEqual({ items: [], next: expect.stringMatching(/^x-/) });
    expect(await app.execution.list({ before: first.next as string })).toMatchObject({ items: [{ id: execution }] });
  });

  test("are shown to those who may read of their action, and their output to nobody else", async () => {
    const { hub, app } = await startHub();
    await app.action.register({ name: "team/e", protocol: "echo" });
    const { execution } = await app.action.perform({ name: "team/e", input: "secret" });
    const { scope } = await granted(hub, { principal: "bob", allow: ["execution.show"], read: ["default"] });
    expect(await faultFrom(scope.execution.show({ id: execution }))).toMatchObject({ code: "EXECUTION_UNKNOWN" });
    expect(await faultFrom(app.execution.show({ id: "x-0000000000000000" }))).toMatchObject({
      code: "EXECUTION_UNKNOWN",
    });
  });
});
