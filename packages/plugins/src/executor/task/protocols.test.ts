// What every protocol is given by the executor, through the pipeline: rights, secrets, transforms, the circuit breaker.

import { afterAll, describe, expect, test } from "bun:test";
import { FaultError, fault, memoryLog, parse } from "@capstan/orchestrator";
import { z } from "zod";
import { faultFrom, granted, protocol, startHub } from "../../hub.fixture.ts";
import { type Call, defineProtocol } from "../protocol.ts";
import { secretOr } from "../secret/secret.ts";

process.env.CAPSTAN_TEST_TOKEN = "token+of/the test";
process.env.CAPSTAN_TEST_OTHER = "another-token";
afterAll(() => {
  delete process.env.CAPSTAN_TEST_TOKEN;
  delete process.env.CAPSTAN_TEST_OTHER;
});
const TOKEN = { secret: "env:CAPSTAN_TEST_TOKEN" } as const;
const MARK = "[secret env:CAPSTAN_TEST_TOKEN]";

/** A protocol that needs rights and takes secrets; what it does is the test's. */
function door(execute: (call: Call<{ place: string; token?: string | undefined }>) => unknown) {
  let broken = false;
  const one = defineProtocol({
    name: "door",
    summary: "A door.",
    configSchema: z.strictObject({ place: z.string().default("here"), token: secretOr(z.string().min(6)).optional() }),
    validateConfig: () => (broken ? fault("CONFIG_INVALID", "the door is gone") : undefined),
    rights: ({ place }) => [{ resource: "file", verb: "read", name: `/${place}` }],
    testConnection: async ({ token, place }) => {
      if (place === "gone") throw new Error("no such place");
      return token === "wrong-token" ? fault("ACTION_FAILED", "refused wrong-token") : undefined;
    },
    execute,
  });
  return { door: one, close: () => (broken = true) };
}

describe("rights", () => {
  test("that a configuration needs are asked of who registers, and of the registrant each time", async () => {
    const { door: one } = door(() => "open");
    const { hub, app } = await startHub({ protocols: [one] });
    const bob = await granted(hub, { principal: "bob", allow: ["action", "file.read:/srv*"] });
    const register = (place: string) =>
      bob.scope.action.register({ name: "a", protocol: "door", configuration: { place } });
    expect(await faultFrom(register("etc"))).toMatchObject({
      code: "REFUSED",
      message: expect.stringMatching(/^a: .*asked file\.read:\/etc/),
    });
    await register("srv/a");
    expect(await app.action.perform({ name: "a" })).toMatchObject({ output: "open" });
    await app.grant.revoke({ grant: bob.id });
    expect(await faultFrom(app.action.perform({ name: "a" }))).toMatchObject({
      message: expect.stringMatching(/^a: .* was revoked/),
    });
  });

  test("are those of whoever updated it last", async () => {
    const { door: one } = door(() => "open");
    const { hub, app } = await startHub({ protocols: [one] });
    await app.action.register({ name: "a", protocol: "door", configuration: { place: "etc" } });
    const bob = await granted(hub, { principal: "bob", allow: ["action"] });
    expect(await faultFrom(bob.scope.action.update({ name: "a", timeout: 5 }))).toMatchObject({ code: "REFUSED" });
    expect(await app.action.describe({ name: "a" })).toMatchObject({ revision: 1 });
  });

  test("of secrets are asked by their references", async () => {
    const { door: one } = door(({ configuration }) => configuration.token === "token+of/the test");
    const { hub, app } = await startHub({ protocols: [one] });
    const bob = await granted(hub, {
      principal: "bob",
      allow: ["action", "file.read", "secret.use:env:CAPSTAN_TEST_TOKEN"],
    });
    const register = (name: string, token: unknown) =>
      bob.scope.action.register({ name, protocol: "door", configuration: { token } });
    expect(await faultFrom(register("a", { secret: "env:CAPSTAN_TEST_OTHER" }))).toMatchObject({
      code: "REFUSED",
      message: expect.stringContaining("secret.use:env:CAPSTAN_TEST_OTHER"),
    });
    await register("a", TOKEN);
    expect(await app.action.perform({ name: "a" })).toMatchObject({ output: true });
  });
});

test("a configuration is checked again when it is triggered, by its protocol too", async () => {
  const { door: one, close } = door(() => "open");
  const { app } = await startHub({ protocols: [one] });
  await app.action.register({ name: "a", protocol: "door" });
  expect(await app.action.describe({ name: "a" })).toMatchObject({ configuration: { place: "here" } } as never);
  close();
  expect(await faultFrom(app.action.perform({ name: "a" }))).toMatchObject({
    code: "CONFIG_INVALID",
    message: "the door is gone",
  });
});

test("a validateConfig that throws is CONFIG_INVALID, and says so", async () => {
  const bad = { ...protocol("bad", () => 1), validateConfig: () => JSON.parse("{") as never };
  const { app } = await startHub({ protocols: [bad as never] });
  expect(await faultFrom(app.action.register({ name: "a", protocol: "bad" }))).toMatchObject({
    code: "CONFIG_INVALID",
  });
});

describe("a secret", () => {
  test("is in its place when it runs, and in nothing that leaves the run", async () => {
    const log = memoryLog();
    const { door: one } = door(async ({ configuration: { token }, capstan, log: lines, input }) => {
      lines.info({ token }, `with ${token}`);
      if (input === "perform") return capstan.perform("echo", { of: token });
      if (input === "throw") throw new Error(`no ${token}`);
      if (input === "fault")
        throw new FaultError({ code: "INPUT_INVALID", message: `bad ${token}`, details: { token } });
      if (input === "json")
        return {
          toJSON: () => {
            throw new Error(`no ${token}`);
          },
        };
      return {
        [`k ${token}`]: [token, encodeURIComponent(token ?? "")],
        basic: Buffer.from(`u:${token}`).toString("base64"),
      };
    });
    const { hub, app } = await startHub({ protocols: [one, protocol("echo", ({ input }) => input)], log });
    await app.action.register({ name: "echo", protocol: "echo" });
    await app.action.register({
      name: "a",
      protocol: "door",
      configuration: { token: TOKEN },
      may: ["action.perform"],
    });
    expect(await app.action.describe({ name: "a" })).toMatchObject({
      configuration: { place: "here", token: TOKEN },
    } as never);
    const { output } = await app.action.perform({ name: "a" });
    expect(output).toMatchObject({ [`k ${MARK}`]: [MARK, MARK], basic: expect.stringContaining(MARK) });
    expect(await app.action.perform({ name: "a", input: "perform" })).toMatchObject({
      output: { output: { of: MARK } },
    });
    expect(await faultFrom(app.action.perform({ name: "a", input: "throw" }))).toMatchObject({
      ...{ code: "ACTION_FAILED", message: `a: no ${MARK}` },
    });
    expect(await faultFrom(app.action.perform({ name: "a", input: "fault" }))).toMatchObject({
      ...{ code: "INPUT_INVALID", message: `bad ${MARK}`, details: { token: MARK } },
    });
    expect(await faultFrom(app.action.perform({ name: "a", input: "json" }))).toMatchObject({
      ...{ code: "OUTPUT_INVALID", message: `a: the output is no JSON: no ${MARK}` },
    });
    for (const stored of await hub.reader.entries(1, { limit: 100 })) {
      expect(stored.text).not.toContain("token+of");
    }
  });

  test("that the schema would not take as text is CONFIG_INVALID, without the text", async () => {
    process.env.CAPSTAN_TEST_SHORT = "sixsix";
    const strict = defineProtocol({
      name: "strict",
      configSchema: z.strictObject({ token: secretOr(z.string().min(20)) }),
      execute: () => 1,
    });
    const { app } = await startHub({ protocols: [strict] });
    await app.action.register({
      name: "a",
      protocol: "strict",
      configuration: { token: { secret: "env:CAPSTAN_TEST_SHORT" } },
    });
    const error = await faultFrom(app.action.perform({ name: "a" }));
    expect(error.code).toBe("CONFIG_INVALID");
    expect(error.message).toContain('"token"');
    expect(error.message).not.toContain("sixsix");
    delete process.env.CAPSTAN_TEST_SHORT;
  });

  test("of an unknown scheme is refused when it is registered; sources are the operator's to add", async () => {
    const { door: one } = door(({ configuration }) => String(configuration.token).length);
    const configuration = { token: { secret: "vault:db" } };
    const without = await startHub({ protocols: [one] });
    expect(await faultFrom(without.app.action.register({ name: "a", protocol: "door", configuration }))).toMatchObject({
      code: "SECRET_UNKNOWN",
      message: 'a: secret "vault:db": there are env:, file:',
    });
    const vault = await startHub({
      protocols: [one],
      executor: { secrets: { vault: async (path) => `the secret of ${path}` } },
    });
    await vault.app.action.register({ name: "a", protocol: "door", configuration });
    expect(await vault.app.action.perform({ name: "a" })).toMatchObject({ output: 16 });
  });

  test("is not looked for in an input: who performs cannot have one read", async () => {
    const { door: one } = door(({ input }) => input);
    const { app } = await startHub({ protocols: [one] });
    await app.action.register({ name: "a", protocol: "door", configuration: { token: TOKEN } });
    expect(await app.action.perform({ name: "a", input: TOKEN })).toMatchObject({ output: TOKEN });
  });

  test("is seen by no transform", async () => {
    const { door: one } = door(({ configuration }) => ({ token: configuration.token }));
    const { app } = await startHub({ protocols: [one] });
    const output = '{ "t": $substring(token, 0, 60), "c": configuration, "id": $id = $null }';
    await app.action.register({ name: "a", protocol: "door", configuration: { token: TOKEN }, transform: { output } });
    expect((await app.action.perform({ name: "a" })).output).toMatchObject({ t: MARK });
  });
});

describe("the messages about protocols", () => {
  test("list them, and describe a configuration as a JSON Schema", async () => {
    const { door: one } = door(() => 1);
    const { app } = await startHub({ protocols: [protocol("plain", () => 1), one] });
    expect((await app.protocol.list()).items).toEqual([{ name: "plain" }, { name: "door", summary: "A door." }]);
    expect(await app.protocol.describe({ name: "door" })).toMatchObject({
      ...{ name: "door", summary: "A door." },
      configuration: {
        type: "object",
        properties: { place: { type: "string", default: "here" } },
        additionalProperties: false,
      },
    });
    expect(await faultFrom(app.protocol.describe({ name: "dor" }))).toMatchObject({
      ...{ code: "PROTOCOL_UNKNOWN", message: 'no protocol "dor"; did you mean "door"?' },
    });
  });

  test("test a configuration under the caller's rights, with its secrets, and record nothing", async () => {
    const { door: one } = door(() => 1);
    process.env.CAPSTAN_TEST_WRONG = "wrong-token";
    const { hub, app } = await startHub({ protocols: [one, protocol("plain", () => 1)] });
    const { head } = hub.log;
    const tested = (configuration: Record<string, unknown>, name = "door") =>
      app.protocol.test({ protocol: name, configuration });
    expect(await tested({ token: TOKEN })).toEqual({ ok: true, connected: true });
    expect(await tested({}, "plain")).toEqual({ ok: true, connected: false });
    expect(await faultFrom(tested({ token: { secret: "env:CAPSTAN_TEST_WRONG" } }))).toMatchObject({
      ...{ code: "ACTION_FAILED", message: "refused [secret env:CAPSTAN_TEST_WRONG]" },
    });
    expect(await faultFrom(tested({ place: "gone" }))).toMatchObject({
      ...{ code: "ACTION_FAILED", message: "protocol.test: no such place" },
    });
    expect(await faultFrom(tested({ plcae: "x" }))).toMatchObject({ code: "CONFIG_INVALID" });
    expect(await faultFrom(tested({}, "dor"))).toMatchObject({ code: "PROTOCOL_UNKNOWN" });
    expect(hub.log.head).toBe(head);
    const bob = await granted(hub, { principal: "bob", allow: ["protocol", "file.read"] });
    expect(
      await faultFrom(bob.scope.protocol.test({ protocol: "door", configuration: { token: TOKEN } })),
    ).toMatchObject({
      ...{ code: "REFUSED", message: expect.stringContaining("secret.use:env:CAPSTAN_TEST_TOKEN") },
    });
    expect(await bob.scope.protocol.list()).toMatchObject({ items: [{ name: "door" }, { name: "plain" }] });
    delete process.env.CAPSTAN_TEST_WRONG;
  });
});

describe("a list of protocols", () => {
  test("has no name and no fault's code twice, and only names that are some", async () => {
    const one = protocol("one", () => 1);
    expect(startHub({ protocols: [one, one] })).rejects.toThrow('two protocols are named "one"');
    const row = { status: 500, retryable: true };
    const clash = { ...one, faults: { CONFIG_INVALID: row } };
    expect(startHub({ protocols: [clash] })).rejects.toThrow('protocol "one" declares CONFIG_INVALID');
    for (const name of ["", "One", "a b", "1a", "a".repeat(65)]) {
      expect(() => defineProtocol({ ...one, name })).toThrow("cannot be a name");
    }
  });

  test("has its own faults tried again where they say so", async () => {
    let runs = 0;
    const flaky = protocol("flaky", () => {
      runs++;
      throw new FaultError(fault(runs < 2 ? "FLAKY_BUSY" : "FLAKY_BROKEN", "no"));
    });
    const faults = { FLAKY_BUSY: { status: 503, retryable: true }, FLAKY_BROKEN: { status: 502, retryable: false } };
    const { app, clock, hub } = await startHub({ protocols: [{ ...flaky, faults }] });
    expect(hub.composition.faults.get("FLAKY_BUSY")).toEqual(faults.FLAKY_BUSY);
    await app.action.register({ name: "a", protocol: "flaky", idempotent: true, attempts: 5, backoff: 1 });
    const performing = faultFrom(app.action.perform({ name: "a" }));
    for (let turns = 0; clock.set === 0 && turns < 100_000; turns++)
      await new Promise<void>((resolve) => setImmediate(resolve));
    clock.advance(1);
    expect(await performing).toMatchObject({ code: "FLAKY_BROKEN" });
    expect(runs).toBe(2);
  });
});

test("a configuration that is used is frozen: no run alters another's", async () => {
  const meddling = defineProtocol({
    name: "meddling",
    configSchema: z.strictObject({ list: z.array(z.number()) }),
    execute: ({ configuration }) => configuration.list.push(4),
  });
  const { app } = await startHub({ protocols: [meddling] });
  await app.action.register({ name: "a", protocol: "meddling", configuration: { list: [1] } });
  for (const _ of [1, 2]) expect((await faultFrom(app.action.perform({ name: "a" }))).code).toBe("ACTION_FAILED");
  expect(parse("a", meddling.configSchema, { list: [1] })).toEqual({ list: [1] });
});

test("an output that the log would not take says why", async () => {
  const nested = (levels: number): unknown => (levels === 0 ? "x" : [nested(levels - 1)]);
  const outputs = [nested(90), nested(91), JSON.parse('{"a":[{"__proto__":1}]}'), { text: '"__proto__":' }];
  const gives = protocol("gives", ({ input }) => outputs[input as number]);
  const { app } = await startHub({ protocols: [gives] });
  await app.action.register({ name: "a", protocol: "gives" });
  const given = (input: number) => app.action.perform({ name: "a", input });
  expect(await given(0)).toMatchObject({ output: outputs[0] });
  expect(await given(3)).toMatchObject({ output: outputs[3] });
  expect(await faultFrom(given(1))).toMatchObject({
    ...{ code: "OUTPUT_INVALID", message: "a: the output is more than 90 levels deep" },
  });
  expect(await faultFrom(given(2))).toMatchObject({
    ...{ code: "OUTPUT_INVALID", message: 'a: the output has the key "__proto__", which is no key' },
  });
});
