// What is done around a protocol's own work, through the pipeline: transforms, and the circuit breaker.

import { describe, expect, test } from "bun:test";
import { FaultError, fault } from "@capstan/orchestrator";
import { faultFrom, protocol, startHub } from "../../hub.fixture.ts";
import { NotRun } from "./circuit-breaker.ts";
import { createProtocols } from "./create-protocols.ts";

describe("transforms", () => {
  const echo = protocol("echo", ({ input }) => ({ got: input }));
  const transform = { input: '{ "to": name }', output: "got.to" };

  test("stand between the action's schemas and its protocol", async () => {
    const { app } = await startHub({ protocols: [echo] });
    const input = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };
    await app.action.register({ name: "a", protocol: "echo", transform, input, output: { type: "string" } });
    expect(await app.action.perform({ name: "a", input: { name: "Ada" } })).toMatchObject({ output: "Ada" });
    expect(await faultFrom(app.action.perform({ name: "a", input: { to: "Ada" } }))).toMatchObject({
      code: "INPUT_INVALID",
    });
    await app.action.update({ name: "a", transform: { output: "got" } });
    expect(await faultFrom(app.action.perform({ name: "a", input: { name: "Ada" } }))).toMatchObject({
      code: "OUTPUT_INVALID",
    });
  });

  test("are replaced whole by an update, kept where it says nothing, and taken away by null", async () => {
    const { app } = await startHub({ protocols: [echo] });
    const breaker = { failures: 3, cooldown: 1000 };
    await app.action.register({ name: "a", protocol: "echo", transform, breaker });
    const described = async () =>
      (await app.action.describe({ name: "a" })) as { transform?: unknown; breaker?: unknown };
    await app.action.update({ name: "a", timeout: 10 });
    expect(await described()).toMatchObject({ transform, breaker });
    await app.action.update({ name: "a", transform: { output: "got" }, breaker: null });
    expect(await described()).toMatchObject({ transform: { output: "got" } });
    expect(await described()).not.toHaveProperty("breaker");
    await app.action.update({ name: "a", transform: null });
    expect(await described()).not.toHaveProperty("transform");
    expect(await app.action.perform({ name: "a", input: 7 })).toMatchObject({ output: { got: 7 } });
  });

  test("that are none are refused at registration: which, why, where", async () => {
    const { app } = await startHub({ protocols: [echo] });
    const register = (of: { input?: string; output?: string }) =>
      app.action.register({ name: "a", protocol: "echo", transform: of });
    expect(await faultFrom(register({ output: "a +" }))).toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(/^a: transform\.output: Unexpected end of expression \(at character \d\)$/),
    });
    for (const bad of [{ input: "" }, { input: "x".repeat(10_001) }, { inptu: "a" }, "name", null]) {
      expect(await faultFrom(() => register(bad as never))).toMatchObject({ code: "MESSAGE_INVALID" });
    }
  });

  test("that fail say which, and what; nothing was run", async () => {
    let runs = 0;
    const { app } = await startHub({ protocols: [protocol("count", () => ++runs)] });
    await app.action.register({ name: "a", protocol: "count", transform: { input: '$error("no " & name)' } });
    expect(await faultFrom(app.action.perform({ name: "a", input: { name: "Ada" } }))).toMatchObject({
      code: "TRANSFORM_FAILED",
      message: expect.stringMatching(/^a: transform\.input: no Ada/),
    });
    expect(runs).toBe(0);
  });
});

describe("a circuit breaker", () => {
  test("opens after failures in a row, refuses at once, and is tried again after its cooldown", async () => {
    const now = { now: 0 };
    let runs = 0;
    let good = false;
    const shaky = protocol("shaky", async ({ input }) => {
      runs++;
      if (input === "bad input") throw new FaultError(fault("INPUT_INVALID", "not that"));
      if (!good) throw new Error("down");
      return runs;
    });
    const { app } = await startHub({ protocols: [shaky], executor: { now: () => now.now } });
    await app.action.register({ name: "a", protocol: "shaky", breaker: { failures: 2, cooldown: 100 } });
    const perform = (input?: unknown) => app.action.perform({ name: "a", input });
    const code = async (input?: unknown) => (await faultFrom(perform(input))).code;
    expect([await code(), await code("bad input"), await code(), await code()]).toEqual([
      ...["ACTION_FAILED", "INPUT_INVALID", "ACTION_FAILED", "CIRCUIT_OPEN"],
    ]);
    expect(runs).toBe(3);
    now.now = 100;
    good = true;
    expect(await perform()).toMatchObject({ output: 4 });
    expect(await perform()).toMatchObject({ output: 5 });
  });

  test("tells that it was not run from what ran into an open one", async () => {
    const open = new FaultError(fault("CIRCUIT_OPEN", "that of another"));
    const run = {
      id: "x",
      input: 1,
      key: "m",
      attempt: 1,
      traceparent: undefined,
      signal: new AbortController().signal,
    };
    const given = { ...run, log: console, apply: async () => undefined, allows: () => undefined };
    const known = createProtocols([protocol("nests", () => Promise.reject(open))], { now: () => 0 });
    const registrant = { principal: "app", grant: "g-2" };
    const defaults = {
      revision: 1,
      configuration: {},
      may: [],
      timeout: 1,
      attempts: 1,
      backoff: 1,
      registrant,
      at: 0,
    };
    const task = { name: "a", protocol: "nests", ...defaults, breaker: { failures: 1, cooldown: 1 } };
    const thrown = async () => (async () => known.run(task, given))().catch((one: unknown) => one);
    expect(await thrown()).not.toBeInstanceOf(NotRun);
    expect(await thrown()).toBeInstanceOf(NotRun);
  });

  test("counts what took too long, and is anew with another revision", async () => {
    const stuck = protocol("stuck", () => new Promise(() => {}));
    const { app, clock } = await startHub({ protocols: [stuck] });
    await app.action.register({ name: "a", protocol: "stuck", timeout: 50, breaker: { failures: 1, cooldown: 1000 } });
    const late = faultFrom(app.action.perform({ name: "a" }));
    for (let turns = 0; clock.set === 0 && turns < 100_000; turns++)
      await new Promise<void>((resolve) => setImmediate(resolve));
    clock.advance(50);
    expect((await late).code).toBe("DEADLINE_EXCEEDED");
    expect(await faultFrom(app.action.perform({ name: "a" }))).toMatchObject({ code: "CIRCUIT_OPEN" });
    await app.action.update({ name: "a", timeout: 60 });
    const again = faultFrom(app.action.perform({ name: "a" }));
    for (let turns = 0; clock.set === 0 && turns < 100_000; turns++)
      await new Promise<void>((resolve) => setImmediate(resolve));
    clock.advance(60);
    expect((await again).code).toBe("DEADLINE_EXCEEDED");
  });

  test("is checked at the edge", async () => {
    const { app } = await startHub();
    for (const breaker of [{ failures: 0, cooldown: 1 }, { failures: 1 }, { failures: 1, cooldown: 0 }, 3]) {
      const registering = () => app.action.register({ name: "a", protocol: "echo", breaker: breaker as never });
      expect(await faultFrom(registering)).toMatchObject({ code: "MESSAGE_INVALID" });
    }
  });
});
