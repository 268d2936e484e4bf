// Performing: what comes back, what is refused before anything runs, and what becomes of an action that throws, gives
// nonsense or never ends.

import { describe, expect, test } from "bun:test";
import { FaultError, fault, type Message } from "@capstan/orchestrator";
import { z } from "zod";
import { attach, Clock, echo, faultFrom, NOON, protocol, startHub } from "../../hub.fixture.ts";
import type { Call, Protocol } from "../protocol.ts";

const INPUT = {
  type: "object",
  properties: { name: { type: "string" } },
  required: ["name"],
  additionalProperties: false,
} as const;

/** A protocol whose calls end when the test says so. */
function controlled() {
  const calls: (Call & { resolve(output: unknown): void; reject(thrown: unknown): void })[] = [];
  const waiting: (() => void)[] = [];
  const held = protocol("held", (call) => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    calls.push(Object.assign(call, { resolve, reject }));
    for (const go of waiting.splice(0)) go();
    return promise;
  });
  /** The `n`th call, once it has begun. */
  const call = async (n: number) => {
    while (calls.length <= n) await new Promise<void>((resolve) => waiting.push(resolve));
    return calls[n] as (typeof calls)[number];
  };
  return { held, call, calls };
}

describe("an action that answers", () => {
  test("at once or later gives its output, its execution and two entries", async () => {
    const later = protocol("later", async ({ input }) => ({ later: input }));
    const { app } = await startHub({ protocols: [echo, later] });
    await app.action.register({ name: "now", protocol: "echo" });
    await app.action.register({ name: "later", protocol: "later" });
    expect(await app.action.perform({ name: "now", input: [1] })).toMatchObject({ output: [1] });
    const { execution, output } = await app.action.perform({ name: "later", input: 2 });
    expect(output).toEqual({ later: 2 });
    expect(await app.execution.show({ id: execution })).toMatchObject({
      ...{ id: execution, action: "later", state: "done", principal: "app", at: NOON },
      ...{ entries: [6, 7], output: { later: 2 } },
    });
  });

  test("with nothing gives no output", async () => {
    const { app } = await startHub({ protocols: [protocol("nothing", () => undefined)] });
    await app.action.register({ name: "quiet", protocol: "nothing" });
    expect(Object.keys(await app.action.perform({ name: "quiet" }))).toEqual(["execution"]);
  });
});

describe("an input that does not fit", () => {
  test("is refused before anything runs, with each problem, and is an entry", async () => {
    const { held, calls } = controlled();
    const { app } = await startHub({ protocols: [held] });
    await app.action.register({ name: "greet", protocol: "held", input: INPUT });
    const refused = await faultFrom(app.action.perform({ name: "greet", input: { nmae: "Ada" } }));
    expect(refused).toMatchObject({
      code: "INPUT_INVALID",
      message: 'greet: "name" is required; unknown "nmae", did you mean "name"?',
      details: [
        { path: "/name", problem: "is required" },
        { path: "/nmae", problem: expect.stringContaining("unknown") },
      ],
    });
    const without = await faultFrom(app.action.perform({ name: "greet" }));
    expect(without.message).toBe("greet: there is no input; it takes {name: string}");
    expect(await app.log.explain({ id: refused.id as string })).toMatchObject({
      verdict: "refused",
      plugins: [
        { plugin: "auth", verdict: "next" },
        { plugin: "registry", verdict: "passed" },
        { plugin: "dead-letter", verdict: "passed" },
        { plugin: "executor", verdict: "refused" },
        { plugin: "publisher", verdict: "not reached" },
        { plugin: "ledger", verdict: "not reached" },
      ],
    });
    expect(calls).toEqual([]);
  });
});

describe("an action that does not do as it said", () => {
  test("and gives an output that does not fit is OUTPUT_INVALID", async () => {
    const { app } = await startHub();
    await app.action.register({ name: "greet", protocol: "echo", output: { type: "string" } });
    const failed = await faultFrom(app.action.perform({ name: "greet", input: 7 }));
    expect(failed).toMatchObject({ code: "OUTPUT_INVALID", message: "greet: its output: must be string" });
    expect(await app.log.explain({ id: failed.id as string })).toMatchObject({
      verdict: "done",
      outcome: { state: "failed", error: { code: "OUTPUT_INVALID" } },
    });
  });

  test("and gives what is no JSON, or more than an entry takes, fails and harms nobody", async () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const long = "x".repeat(5 * 1024 * 1024);
    const none = { toJSON: () => undefined };
    const noText = {
      toJSON() {
        throw Object.create(null);
      },
    };
    const invalid: readonly unknown[] = [circle, { n: 1n }, 10n, () => 1, Symbol("s"), none, noText];
    const outputs: readonly unknown[] = [...invalid, { text: long }, long];
    const now = protocol("now", ({ input }) => outputs[input as number]);
    const later = protocol("later", async ({ input }) => outputs[input as number]);
    const { app } = await startHub({ protocols: [now, later] });
    for (const name of ["now", "later"]) {
      await app.action.register({ name, protocol: name });
      const codes = [];
      for (const input of outputs.keys()) codes.push((await faultFrom(app.action.perform({ name, input }))).code);
      expect(codes).toEqual([...invalid.map(() => "OUTPUT_INVALID"), "OUTPUT_TOO_LARGE", "OUTPUT_TOO_LARGE"]);
    }
  });

  test("and gives a number that JSON does not have is judged by what is recorded", async () => {
    const { app } = await startHub({ protocols: [protocol("nan", () => Number.NaN)] });
    await app.action.register({ name: "nan", protocol: "nan", output: { type: "number" } });
    expect(await faultFrom(app.action.perform({ name: "nan" }))).toMatchObject({ code: "OUTPUT_INVALID" });
    await app.action.update({ name: "nan", output: true });
    expect(await app.action.perform({ name: "nan" })).toMatchObject({ output: null });
  });

  test("and throws is ACTION_FAILED with the text alone; a fault goes through as it is", async () => {
    const thrown: readonly unknown[] = [
      new Error("no such table\n\u001b[31mred"),
      "text",
      new FaultError(fault("ACTION_FAILED", "as it is", { n: 1 })),
    ];
    const throwing = protocol("throwing", ({ input }) => {
      throw thrown[input as number];
    });
    const rejecting = protocol("rejecting", async ({ input }) => Promise.reject(thrown[input as number]));
    const { app } = await startHub({ protocols: [throwing, rejecting] });
    for (const name of ["throwing", "rejecting"]) {
      await app.action.register({ name, protocol: name });
      const said = [];
      for (const input of [0, 1, 2]) {
        const { code, message, details } = await faultFrom(app.action.perform({ name, input }));
        said.push([code, message, details]);
      }
      expect(said).toEqual([
        ["ACTION_FAILED", `${name}: no such table\\u000a\\u001b[31mred`, undefined],
        ["ACTION_FAILED", `${name}: text`, undefined],
        ["ACTION_FAILED", "as it is", { n: 1 }],
      ]);
    }
  });
});

describe("an action that never ends", () => {
  test("is given up at its timeout, and told so", async () => {
    const { held, call } = controlled();
    const { app, clock } = await startHub({ protocols: [held] });
    await app.action.register({ name: "stuck", protocol: "held", timeout: 5000 });
    const performing = faultFrom(app.action.perform({ name: "stuck" }));
    const { signal } = await call(0);
    clock.advance(4999);
    expect(signal.aborted).toBe(false);
    clock.advance(1);
    expect(signal.aborted).toBe(true);
    expect(await performing).toMatchObject({
      code: "DEADLINE_EXCEEDED",
      message: "action.perform: not done by its deadline, 2026-03-01T12:00:05.000Z",
    });
    expect(clock.set).toBe(0);
  });

  test("is given up at the caller's own deadline where that is sooner", async () => {
    const { held, call } = controlled();
    const { app, clock } = await startHub({ protocols: [held] });
    await app.action.register({ name: "stuck", protocol: "held", timeout: 5000, readOnly: true, attempts: 9 });
    const performing = faultFrom(app.action.perform({ name: "stuck" }, { deadline: NOON + 100 }));
    await call(0);
    clock.advance(100);
    // Nor is it tried again: it would come too late.
    expect(await performing).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(await faultFrom(app.action.perform({ name: "stuck" }, { deadline: NOON + 50 }))).toMatchObject({
      code: "DEADLINE_EXCEEDED",
    });
  });

  test("is waited for as long as the caller says, and attached to later", async () => {
    const { held, call } = controlled();
    const { app, clock } = await startHub({ protocols: [held] });
    await app.action.register({ name: "slow", protocol: "held" });
    const accepted = await app.action.perform({ name: "slow", input: 1 }, { wait: 0 });
    expect(accepted).toEqual({ execution: expect.stringMatching(/^x-/), pending: true });
    const waited = app.action.perform({ name: "slow", input: 2 }, { wait: 1000 });
    await call(1);
    clock.advance(1000);
    const { execution, pending } = await waited;
    expect(pending).toBe(true);
    expect(await app.execution.show({ id: execution })).toMatchObject({ state: "running", attempt: 1 });

    const message = execution.replace("x-", "m-");
    const attached = attach(app, { id: message });
    const brief = attach(app, { id: message }, { wait: 10 });
    await new Promise<void>((resolve) => setImmediate(resolve)); // it waits from here on
    clock.advance(10);
    expect(await brief).toEqual({ message, pending: true });
    (await call(1)).resolve("two");
    expect(await attached).toEqual({ execution, output: "two" });
    expect(await attach(app, { id: message })).toEqual({ execution, output: "two" });
    (await call(0)).reject(new Error("one"));
    expect(await faultFrom(attach(app, { id: accepted.execution.replace("x-", "m-") }))).toMatchObject({
      code: "ACTION_FAILED",
    });
  });
});

describe("a protocol", () => {
  const strict: Protocol = {
    name: "http",
    configSchema: z.strictObject({ url: z.string() }),
    validateConfig: (configuration) =>
      (configuration as { url: string }).url.startsWith("https:")
        ? undefined
        : fault("CONFIG_INVALID", "the url must be https"),
    execute: ({ configuration }) => configuration,
  };

  test("that there is not is named with the nearest, at register and at update", async () => {
    const { app } = await startHub();
    expect(await faultFrom(app.action.register({ name: "a", protocol: "ehco" }))).toMatchObject({
      code: "PROTOCOL_UNKNOWN",
      message: 'a: no protocol "ehco"; did you mean "echo"?',
    });
    await app.action.register({ name: "a", protocol: "echo" });
    expect(await faultFrom(app.action.update({ name: "a", protocol: "telepathy" }))).toMatchObject({
      code: "PROTOCOL_UNKNOWN",
      message: 'a: no protocol "telepathy"; there are echo',
    });
    expect(await app.action.describe({ name: "a" })).toMatchObject({ revision: 1 });
  });

  test("checks the configuration of its actions before they are there", async () => {
    const { app } = await startHub({ protocols: [strict] });
    const register = (configuration: Record<string, unknown>) =>
      app.action.register({ name: "get", protocol: "http", configuration });
    expect(await faultFrom(register({ ulr: "https://a" }))).toMatchObject({
      code: "CONFIG_INVALID",
      message: 'get: http: "url" is required; unknown "ulr", did you mean "url"?',
    });
    expect(await faultFrom(register({ url: 7 }))).toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringMatching(/^get: http: "url" /),
    });
    expect(await faultFrom(register({ url: "http://a" }))).toMatchObject({ message: "the url must be https" });
    await register({ url: "https://a" });
    expect(await app.action.perform({ name: "get" })).toMatchObject({ output: { url: "https://a" } });
    await app.action.update({ name: "get", timeout: 10 });
    expect(await app.action.describe({ name: "get" })).toMatchObject({ configuration: { url: "https://a" } } as never);
  });
});

test("an action that changes before it runs is not run: ACTION_CHANGED", async () => {
  const { held, calls } = controlled();
  const clock = new Clock();
  const { app, hub } = await startHub({ protocols: [held], clock });
  await app.action.register({ name: "greet", protocol: "held" });
  // Both are decided in one group: the first is not yet durable, and so has not begun.
  const as = { principal: "app", grant: "node" };
  const submit = (one: Message) =>
    hub.hub.submit(hub.composition.route(one.resource, one.action), one.data, as, { wait: 0 }) as never;
  const performing = faultFrom(app.action.perform({ name: "greet" }));
  submit({ resource: "action", action: "remove", data: { name: "greet" } });
  expect(await performing).toMatchObject({
    code: "ACTION_CHANGED",
    message: "greet@1 was updated or removed before it ran; perform it again",
  });
  expect(calls).toEqual([]);
});
