// Output commit as a client sees it (issue 2, "must show" 4): what is sent in one burst is decided one on the other, nothing is
// told before it is durable, and nobody is told what a full disk undoes.

import { afterEach, expect, test } from "bun:test";
import { kernelFaults } from "@capstan/orchestrator";
import type { Protocol } from "@capstan/plugins";
import { z } from "zod";
import { digestOf, newSecret, startNode, stopNodes } from "./node.ts";
import { codeOf, post, RawSocket, type Remote, transportNames, transports } from "./session.ts";

afterEach(stopNodes);

const EVERYTHING = ["*"];

/** A protocol that has to be asked about an action first, and that answers when the test says so. */
function slowProtocol() {
  const asked: (() => void)[] = [];
  const someoneAsked = Promise.withResolvers<void>();
  const protocol: Protocol = {
    name: "slow",
    configSchema: z.strictObject({}),
    inspect: () => {
      const { promise, resolve } = Promise.withResolvers<Record<string, never>>();
      asked.push(() => resolve({}));
      someoneAsked.resolve();
      return promise;
    },
    execute: ({ input }) => input,
  };
  return { protocol, asked, someoneAsked: someoneAsked.promise };
}

test.each(transportNames)(
  "over %s register and then describe and perform, in one burst: each sees the one before",
  async (transport) => {
    const node = await startNode();
    const scope = transports[transport](node.url).connectionFromCli(node.admin);
    const burst = await Promise.all([
      scope.action.register({ name: "greet", protocol: "echo" }),
      scope.action.describe({ name: "greet" }),
      scope.action.perform({ name: "greet", input: { text: "hello" } }),
    ]);
    expect(burst).toMatchObject([
      { name: "greet", revision: 1 },
      { name: "greet", revision: 1 },
      { output: { text: "hello" } },
    ]);
  },
);

test.each(transportNames)(
  "over %s grant.create and then a connection by its secret and a call on it, in one burst",
  async (transport) => {
    const node = await startNode();
    const session: Remote = transports[transport](node.url);
    const secret = newSecret();
    const created = session
      .connectionFromCli(node.admin)
      .grant.create({ principal: "bob", allow: ["log.head"], credential: digestOf(secret) });
    const bobs = session.connectionFromCli(secret);
    const [made, head, listed] = await Promise.all([created, bobs.log.head(), codeOf(bobs.log.list())]);
    expect(made).toMatchObject({ principal: "bob", grant: "g-3" });
    // The composition, the administrator's grant, bob's.
    expect(head).toMatchObject({ entries: 3 });
    expect(listed).toBe("REFUSED");
  },
);

test.each(transportNames)(
  "over %s a burst keeps its order where registering has to be prepared for",
  async (transport) => {
    const { protocol, asked, someoneAsked } = slowProtocol();
    const node = await startNode({ protocols: [protocol] });
    const session: Remote = transports[transport](node.url);
    const secret = newSecret();
    const scope = session.connectionFromCli(node.admin);
    const codes = [
      codeOf(scope.action.register({ name: "first", protocol: "slow" })),
      codeOf(scope.action.describe({ name: "first" })),
      codeOf(scope.grant.create({ principal: "bob", allow: ["action.describe"], credential: digestOf(secret) })),
      codeOf(session.connectionFromCli(secret).action.describe({ name: "first" })),
    ];
    await someoneAsked;
    asked[0]?.();
    expect(await Promise.all(codes)).toEqual(["ok", "ok", "ok", "ok"]);
  },
);

test.each(transportNames)(
  "over %s several that have to be prepared for keep their order with what stands between them",
  async (transport) => {
    const inspect = () => new Promise<Record<string, never>>((resolve) => void setImmediate(() => resolve({})));
    const protocol: Protocol = { ...slowProtocol().protocol, inspect };
    const node = await startNode({ protocols: [protocol] });
    const scope = transports[transport](node.url).connectionFromCli(node.admin);
    const codes = ["first", "second", "third"].flatMap((name) => [
      codeOf(scope.action.register({ name, protocol: "slow" })),
      codeOf(scope.action.describe({ name })),
    ]);
    expect(await Promise.all(codes)).toEqual(["ok", "ok", "ok", "ok", "ok", "ok"]);
  },
);

test("no frame leaves before what it was decided on is appended, a query's answer included", async () => {
  const node = await startNode();
  node.log.closeGate();
  const before = node.log.head;
  const socket = await RawSocket.open(node.url);
  const call = (path: string[], data: unknown) => JSON.stringify(["push", ["pipeline", 1, path, [data]]]);
  socket.send(JSON.stringify(["push", ["pipeline", 0, ["connectionFromCli"], [node.admin]]]));
  socket.send(call(["action", "register"], { name: "greet", protocol: "echo" }), '["pull",2]');
  socket.send(call(["action", "describe"], { name: "greet" }), '["pull",3]');
  socket.send(call(["action", "describe"], { name: "absent" }), '["pull",4]');
  const answered = Promise.all([2, 3, 4].map((id) => socket.answer(id)));
  // The append has begun once the tip has passed what is durable; then everything has been decided that was sent.
  const { committer } = node.orchestrator;
  while (committer.tip === before) await socket.roundTrip();
  await socket.roundTrip();
  expect(socket.frames).toEqual([]);
  expect({ durable: committer.durable, appended: node.log.head }).toEqual({ durable: before, appended: before });
  const health = await fetch(`${node.url}/healthz`);
  expect(await health.json()).toMatchObject({ entries: before });

  node.log.openGate();
  await answered;
  const told = socket.frames.map(([type, id]) => `${type} ${id}`);
  expect(told.sort()).toEqual(["reject 4", "resolve 2", "resolve 3"]);
  expect(node.log.head).toBe(before + 1);
  socket.close();
});

test("what was undone before it was asked for is never told, whoever asks for it later", async () => {
  const node = await startNode();
  const { committer } = node.orchestrator;
  const socket = await RawSocket.open(node.url);
  const call = (target: number, path: string[], data: unknown) =>
    JSON.stringify(["push", ["pipeline", target, path, [data]]]);
  socket.send(call(0, ["connectionFromCli"], node.admin), '["pull",1]');
  await socket.answer(1);
  node.log.closeGate();
  const { durable } = committer;
  socket.send(call(1, ["action", "register"], { name: "greet", protocol: "echo" }));
  socket.send(call(1, ["action", "describe"], { name: "greet" }));
  socket.send(call(1, ["action", "register"], { name: "greet", protocol: "echo" }));
  while (committer.tip < durable + 2) await socket.roundTrip();
  node.log.full = true;
  node.log.openGate();
  while (committer.generation === 0) await socket.roundTrip();
  node.log.full = false;
  // A result, an answer and a refusal that stood on what is no more.
  socket.send('["pull",2]', '["pull",3]', '["pull",4]');
  const answers = await Promise.all([2, 3, 4].map((id) => socket.answer(id)));
  expect(answers.map(([type, , error]) => [type, error[4]?.code])).toEqual(
    [2, 3, 4].map(() => ["reject", "LOG_UNAVAILABLE"]),
  );
  socket.close();
});

test("a batch is answered when the last of it is appended, and not before", async () => {
  const node = await startNode();
  node.log.closeGate();
  let answered = false;
  const frames = [
    ["push", ["pipeline", 0, ["connectionFromCli"], [node.admin]]],
    ["push", ["pipeline", 1, ["principal", "create"], [{ name: "bob" }]]],
    ["pull", 2],
  ];
  const response = post(node.url, frames.map((frame) => JSON.stringify(frame)).join("\n")).then((one) => {
    answered = true;
    return one.text();
  });
  const { committer } = node.orchestrator;
  while (committer.tip === committer.durable) await (await fetch(`${node.url}/healthz`)).text();
  await (await fetch(`${node.url}/healthz`)).text();
  expect(answered).toBe(false);
  node.log.openGate();
  expect(JSON.parse(await response)).toEqual(["resolve", 2, { name: "bob" }]);
});

test.each(transportNames)(
  "over %s a burst on a full disk is faults and leaves no trace; reads go on, and writes work again",
  async (transport) => {
    const node = await startNode();
    const secret = newSecret();
    const open = () => transports[transport](node.url);
    const register = (scope: Remote) => scope.action.register({ name: "greet", protocol: "echo" });
    const before = node.rows();
    const head = node.log.head;
    const reader = open().connectionFromCli(node.admin);
    if (transport === "WebSocket") await reader.log.head();

    node.log.full = true;
    const session: Remote = open();
    const scope = session.connectionFromCli(node.admin);
    const burst = await Promise.all([
      codeOf(register(scope)),
      codeOf(scope.action.describe({ name: "greet" })),
      codeOf(scope.grant.create({ principal: "bob", allow: EVERYTHING, credential: digestOf(secret) })),
      codeOf(session.connectionFromCli(secret).log.head()),
    ]);
    expect(burst).toEqual(["LOG_UNAVAILABLE", "LOG_UNAVAILABLE", "LOG_UNAVAILABLE", "LOG_UNAVAILABLE"]);
    expect(kernelFaults.LOG_UNAVAILABLE).toMatchObject({ retryable: true, status: 503 });
    expect(node.rows()).toBe(before);
    expect(node.log.head).toBe(head);

    // Reads, on the session that was there and on new ones; writes are faults, and none is half done.
    if (transport === "WebSocket") expect(await reader.action.list()).toMatchObject({ items: [] });
    const during = open().connectionFromCli(node.admin);
    const [listed, described, written] = await Promise.all([
      during.action.list(),
      codeOf(during.action.describe({ name: "greet" })),
      codeOf(register(during)),
    ]);
    expect(listed).toMatchObject({ items: [] });
    expect([described, written]).toEqual(["ACTION_UNKNOWN", "LOG_UNAVAILABLE"]);
    expect(await codeOf(open().connectionFromCli(secret).log.head())).toBe("CREDENTIAL_INVALID");
    expect([node.rows(), node.log.head]).toEqual([before, head]);

    node.log.full = false;
    expect(await codeOf(open().connectionFromCli(secret).log.head())).toBe("CREDENTIAL_INVALID");
    const after = open().connectionFromCli(node.admin);
    const burstAfter = await Promise.all([register(after), after.action.perform({ name: "greet", input: 1 })]);
    expect(burstAfter).toMatchObject([{ revision: 1 }, { output: 1 }]);
  },
);

test("an append that fails late undoes what was decided on it, and the effects that it owed never run", async () => {
  let ran = 0;
  const counting: Protocol = { name: "counting", configSchema: z.strictObject({}), execute: () => ++ran };
  const node = await startNode({ protocols: [counting] });
  await node.ask("action", "register", { name: "count", protocol: "counting" });
  const before = node.rows();
  const scope = transports.WebSocket(node.url).connectionFromCli(node.admin);
  await scope.log.head();

  node.log.closeGate();
  const performed = codeOf(scope.action.perform({ name: "count" }));
  const listed = codeOf(scope.execution.list());
  const { committer } = node.orchestrator;
  while (committer.tip === committer.durable) await (await fetch(`${node.url}/healthz`)).text();
  node.log.full = true;
  node.log.openGate();
  expect([await performed, await listed]).toEqual(["LOG_UNAVAILABLE", "LOG_UNAVAILABLE"]);
  expect([node.rows(), ran]).toEqual([before, 0]);

  node.log.full = false;
  await codeOf(scope.log.head());
  expect(await scope.action.perform({ name: "count" })).toMatchObject({ output: 1 });
});

test("a scope of a grant that the disk refused stays nobody's when another grant gets its number", async () => {
  const node = await startNode();
  const session: Remote = transports.WebSocket(node.url);
  const scope = session.connectionFromCli(node.admin);
  await scope.log.head();
  const secret = newSecret();
  node.log.full = true;
  const lost = scope.grant.create({ principal: "bob", allow: ["log.head"], credential: digestOf(secret) });
  const bobs = session.connectionFromCli(secret);
  expect(await codeOf(lost)).toBe("LOG_UNAVAILABLE");
  node.log.full = false;
  expect(await scope.grant.create({ principal: "bob", allow: ["*"] })).toMatchObject({ grant: "g-3" });
  expect(await codeOf(bobs.log.head())).toBe("LOG_UNAVAILABLE");
  expect(await codeOf(bobs.action.list())).toBe("LOG_UNAVAILABLE");
});
