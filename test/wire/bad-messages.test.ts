// Bad input in well-formed frames (issue 2, "Bad input"). What fails at the edge is a clear fault and no entry; what reaches the
// pipeline is a refusal's entry without rows, an action's own check of its input included. Nothing is owed either way.

import { afterEach, expect, test } from "bun:test";
import { startNode, stopNodes, type TestNode } from "./node.ts";
import { codeOf, faultOf, post, type Remote, transportNames, transports } from "./session.ts";

afterEach(stopNodes);

async function open(node: TestNode): Promise<Remote> {
  const scope = transports.WebSocket(node.url).connectionFromCli(node.admin);
  await scope.log.head();
  return scope;
}

/** The call ends with a fault, before the pipeline: no entry, no row. */
async function refusedAtTheEdge(node: TestNode, call: () => PromiseLike<unknown>) {
  const before = node.rows();
  let fault: Awaited<ReturnType<typeof faultOf>>;
  const added = await node.added(async () => {
    fault = await faultOf(call());
  });
  expect(added.map(({ header }) => header.message)).toEqual([]);
  expect(node.rows()).toBe(before);
  return fault;
}

/** The call ends with a fault, and one entry records that it was refused: no row, nothing owed. */
async function refusedByThePipeline(node: TestNode, call: () => PromiseLike<unknown>) {
  const before = node.rows();
  let fault: Awaited<ReturnType<typeof faultOf>>;
  const added = await node.added(async () => {
    fault = await faultOf(call());
  });
  expect(added.map(({ header }) => header.verdict)).toEqual(["refused"]);
  expect(added[0]?.part("r")).toBeUndefined();
  expect(added[0]?.part("t")).toMatchObject({ error: { code: fault?.code } });
  expect(node.rows()).toBe(before);
  return fault;
}

test("an unknown resource or verb is MESSAGE_UNKNOWN, and the nearest is named", async () => {
  const node = await startNode();
  const scope = await open(node);
  const unknown: [() => PromiseLike<unknown>, string][] = [
    [() => scope.acton.perform({ name: "greet" }), "did you mean action?"],
    [() => scope.action.preform({ name: "greet" }), "did you mean perform?"],
    [() => scope.applyActoin({}), "did you mean applyAction?"],
    [() => scope.applyAction({ resource: "acton", action: "perform", data: {} }), "did you mean action.perform?"],
    [() => scope.applyAction({ resource: "action", action: "preform", data: {} }), "did you mean action.perform?"],
    [() => scope.weather.forecast(), "it has principal, grant, action"],
    [() => scope.log.rewrite(), "it has list, show"],
    [() => transports.WebSocket(node.url).connectionFromCLI(node.admin), "did you mean connectionFromCli?"],
  ];
  for (const [call, hint] of unknown) {
    const fault = await refusedAtTheEdge(node, call);
    expect(fault?.code).toBe("MESSAGE_UNKNOWN");
    expect(fault?.message).toContain(hint);
  }
});

test("internal messages are refused at every door", async () => {
  const node = await startNode();
  const scope = await open(node);
  const forged = { resource: "execution", action: "complete", data: { execution: "x-0123456789ABCDEF" } };
  expect(await refusedAtTheEdge(node, () => scope.applyAction(forged))).toMatchObject({ code: "MESSAGE_INTERNAL" });
  expect(await refusedAtTheEdge(node, () => scope.execution.complete(forged.data))).toMatchObject({
    code: "MESSAGE_UNKNOWN",
  });
  expect(await refusedAtTheEdge(node, () => scope.node.expire({}))).toMatchObject({ code: "MESSAGE_UNKNOWN" });
});

const longName = "a".repeat(201);
const invalid: Readonly<Record<string, (scope: Remote) => PromiseLike<unknown>>> = {
  "data of no kind": (scope) => scope.action.describe("greet"),
  "data that is a list": (scope) => scope.action.describe([{ name: "greet" }]),
  "data that is null": (scope) => scope.applyAction({ resource: "action", action: "describe", data: null }),
  "a number for a name": (scope) => scope.action.describe({ name: 1 }),
  "a missing name": (scope) => scope.action.describe({}),
  "an unknown field": (scope) => scope.action.describe({ name: "greet", nmae: "x" }),
  "an unknown field of the message": (scope) =>
    scope.applyAction({ resource: "log", action: "head", data: {}, principal: "admin" }),
  "an unknown option": (scope) => scope.log.head({}, { principal: "admin" }),
  "options of no kind": (scope) => scope.log.head({}, "now"),
  "a deadline that no clock shows": (scope) => scope.log.head({}, { deadline: 9e15 }),
  "a key with a line break": (scope) => scope.principal.create({ name: "bob" }, { key: "a\nb" }),
  "a resource that is no text": (scope) => scope.applyAction({ resource: ["log"], action: "head" }),
  "a name with a control character": (scope) => scope.action.register({ name: "greet\u0000", protocol: "echo" }),
  "a name with an escape sequence": (scope) => scope.action.register({ name: "\u001b[2Jgreet", protocol: "echo" }),
  "a name that is turned round": (scope) => scope.action.register({ name: "greet\u202e", protocol: "echo" }),
  "a name with a line break at its end": (scope) => scope.action.register({ name: "greet\n", protocol: "echo" }),
  "a name that leaves its namespace": (scope) => scope.action.register({ name: "team/../greet", protocol: "echo" }),
  "a name that is too long": (scope) => scope.action.register({ name: longName, protocol: "echo" }),
  "a principal with a control character": (scope) => scope.principal.create({ name: "bob\u0007" }),
  "a clause with an escape sequence": (scope) =>
    scope.grant.create({ principal: "bob", allow: ["action.perform:\u001b[2J"] }),
  "a clause that is none": (scope) => scope.grant.create({ principal: "bob", allow: ["action perform"] }),
  "no clause at all": (scope) => scope.grant.create({ principal: "bob", allow: [] }),
  "an expiry that no clock shows": (scope) => scope.grant.create({ principal: "bob", allow: ["*"], expires: 9e15 }),
  "a date": (scope) => scope.action.perform({ name: "greet", input: new Date(0) }),
  "a big integer": (scope) => scope.action.perform({ name: "greet", input: { n: 1n } }),
  bytes: (scope) => scope.action.perform({ name: "greet", input: [new Uint8Array([1])] }),
  "a function": (scope) => scope.action.perform({ name: "greet", input: { callback: () => 1 } }),
  "what is not a number": (scope) => scope.action.perform({ name: "greet", input: [Number.NaN] }),
  "a stub of the scope itself": (scope) => scope.action.perform({ name: "greet", input: scope.action }),
  "150 levels": (scope) => scope.action.perform({ name: "greet", input: levels(150) }),
};

function levels(count: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < count; i++) value = { in: value };
  return value;
}

test.each(Object.entries(invalid))(
  "%s is MESSAGE_INVALID at the edge, and says so in plain letters",
  async (_, call) => {
    const node = await startNode();
    await node.ask("action", "register", { name: "greet", protocol: "echo" });
    const scope = await open(node);
    const fault = await refusedAtTheEdge(node, () => call(scope));
    expect(fault?.code).toBe("MESSAGE_INVALID");
    expect(fault?.message).toMatch(/^[^\p{Cc}\p{Cf}]{10,500}$/u);
  },
);

test("an unknown field is told with the nearest, and every problem with its path", async () => {
  const node = await startNode();
  const scope = await open(node);
  const fault = await refusedAtTheEdge(node, () => scope.action.register({ nmae: "greet", idempotent: "yes" }));
  expect(fault?.message).toContain('did you mean "name"?');
  expect(fault?.details).toContainEqual({ path: "name", problem: "is required" });
  expect(fault?.details.map(({ path }: { path: string }) => path)).toContain("idempotent");
});

test.each(transportNames)(
  "over %s keys that belong to every object pollute nothing and are not stored",
  async (transport) => {
    const node = await startNode();
    await node.ask("action", "register", { name: "greet", protocol: "echo" });
    const evil =
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1,"kept":{"__proto__":[[1]],"also":1}}';
    const messages = [
      `["action","perform"],[{"name":"greet","input":${evil}}]`,
      `["action","perform"],[{"name":"greet","input":[[${evil},${evil}]]}]`,
      `["action","register"],[{"name":"other","protocol":"echo","input":{"type":"object","properties":${evil}}}]`,
      `["action","register"],[{"name":"third","protocol":"echo","configuration":${evil}}]`,
      `["action","describe"],[{"name":"greet","__proto__":{"name":"other"}}]`,
      `["grant","create"],[{"principal":"bob","allow":[["*"]],"__proto__":{"delegable":true},"constructor":1}]`,
      `["applyAction"],[{"resource":"log","action":"head","__proto__":{"data":{}}},{"__proto__":{"key":"x"}}]`,
    ];
    const added = await node.added(async () => {
      if (transport === "HTTP batch") {
        const lines = messages.flatMap((message, i) => [`["push",["pipeline",1,${message}]]`, `["pull",${i + 2}]`]);
        const connect = `["push",["pipeline",0,["connectionFromCli"],["${node.admin}"]]]`;
        const text = await (await post(node.url, [connect, ...lines].join("\n"))).text();
        expect(text).not.toContain("__proto__");
        expect(text).not.toContain("polluted");
      } else {
        const scope = await open(node);
        expect(await scope.action.perform({ name: "greet", input: JSON.parse(evil) })).toMatchObject({
          output: { kept: { also: 1 } },
        });
        await scope.action.register({ name: "third", protocol: "echo", input: JSON.parse(evil) }).catch(() => {});
      }
    });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(added.length).toBeGreaterThan(1);
    const stored = (await node.log.read(1)).map(({ text }) => text).join("\n") + node.rows();
    expect(stored).not.toContain("polluted");
    expect(stored).not.toContain("__proto__");
    expect(stored).not.toContain("constructor");
  },
);

test("callers in this process cannot store such keys either", async () => {
  const node = await startNode();
  await node.ask("action", "register", { name: "greet", protocol: "echo" });
  const input = JSON.parse('{"a":[{"__proto__":{"polluted":1}}]}');
  const perform = () => node.ask("action", "perform", { name: "greet", input });
  expect(await refusedAtTheEdge(node, perform)).toMatchObject({ code: "MESSAGE_INVALID" });
});

const badSchemas: Readonly<Record<string, unknown>> = {
  "is a number": 1,
  "is a list": [],
  "has a type that there is not": { type: "strnig" },
  "has a pattern that does not compile": { type: "string", pattern: "(" },
  "has a pattern that looks ahead": { type: "string", pattern: "(?=a)b" },
  "has a pattern that repeats without measure": { type: "string", pattern: "((a{1,99}){1,99}){1,99}" },
  "refers to another machine": { $ref: "https://example.com/schema.json" },
  "refers to itself for ever": { $ref: "#" },
  "is 60 levels deep": levels(60),
  "is too large": { enum: Array.from({ length: 20_000 }, (_, i) => `value-${i}`) },
};

test.each(Object.entries(badSchemas))(
  "a schema that %s is refused in the pipeline as SCHEMA_INVALID",
  async (_, schema) => {
    const node = await startNode();
    const scope = await open(node);
    for (const side of ["input", "output"]) {
      const register = () => scope.action.register({ name: "greet", protocol: "echo", [side]: schema });
      const fault = await refusedByThePipeline(node, register);
      expect(fault?.code).toBe("SCHEMA_INVALID");
      expect(fault?.message).toContain(`greet: ${side}: `);
    }
  },
);

test("a pattern that is exponential elsewhere answers at once", async () => {
  const node = await startNode();
  const scope = await open(node);
  await scope.action.register({ name: "greet", protocol: "echo", input: { type: "string", pattern: "^(a+)+$" } });
  const before = process.cpuUsage();
  const fault = await refusedByThePipeline(node, () =>
    scope.action.perform({ name: "greet", input: `${"a".repeat(5_000)}!` }),
  );
  expect(fault?.code).toBe("INPUT_INVALID");
  // Backtracking would take longer than the universe is old; linear time takes a millisecond.
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(5_000);
  expect(await scope.action.perform({ name: "greet", input: "aaaa" })).toMatchObject({ output: "aaaa" });
});

test("what the pipeline refuses is an entry without rows: unknown names, a wrong input, what is there already", async () => {
  const node = await startNode();
  const scope = await open(node);
  const input = {
    type: "object",
    properties: { n: { type: "integer" } },
    required: ["n"],
    additionalProperties: false,
  };
  await scope.action.register({ name: "greet", protocol: "echo", input });
  const refused: [() => PromiseLike<unknown>, string][] = [
    [() => scope.action.perform({ name: "gret", input: { n: 1 } }), "ACTION_UNKNOWN"],
    [() => scope.action.perform({ name: "greet", input: { n: "1" } }), "INPUT_INVALID"],
    [() => scope.action.perform({ name: "greet", input: { n: 1, m: 2 } }), "INPUT_INVALID"],
    [() => scope.action.perform({ name: "greet" }), "INPUT_INVALID"],
    [() => scope.action.register({ name: "greet", protocol: "echo" }), "ACTION_EXISTS"],
    [() => scope.action.register({ name: "other", protocol: "ehco" }), "PROTOCOL_UNKNOWN"],
    [() => scope.action.register({ name: "other", protocol: "echo", configuration: { url: "x" } }), "CONFIG_INVALID"],
    [() => scope.action.update({ name: "greet", revision: 7 }), "REVISION_CONFLICT"],
    [() => scope.principal.revoke({ name: "nobody" }), "PRINCIPAL_UNKNOWN"],
    [() => scope.execution.cancel({ id: "x-0123456789ABCDEF" }), "EXECUTION_UNKNOWN"],
  ];
  for (const [call, code] of refused) expect((await refusedByThePipeline(node, call))?.code).toBe(code);
  expect(await codeOf(scope.action.perform({ name: "greet", input: { n: 1 } }))).toBe("ok");
});

test("no fault repeats a caller's control characters", async () => {
  const node = await startNode();
  const scope = await open(node);
  const bell = "\u001b[2J\u0007\u202e";
  const calls = [
    () => scope.action.register({ name: "greet", protocol: bell }),
    () => scope.message.settle({ id: bell, hold: bell, outcome: 1 }),
    () => scope.message.attach({ id: bell }),
    () => scope.log.show({ id: bell }),
    () => scope.log.explain({ id: bell }),
    () => scope.applyAction({ resource: bell, action: bell }),
    () => scope.applyAction({ resource: "log", action: "head", [bell]: 1 }),
    () => scope[bell][bell](),
    () => scope.log[bell](),
  ];
  for (const call of calls) expect((await faultOf(call()))?.message).toMatch(/^[^\p{Cc}\p{Cf}]+$/u);
});
