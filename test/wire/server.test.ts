// The node's port: which addresses it takes, what it says of its health, and how it ends.

import { afterEach, expect, test } from "bun:test";
import {
  authority,
  createOrchestrator,
  DEFAULT_LISTEN,
  definePlugin,
  FaultError,
  next,
  type Orchestrator,
  serve,
} from "@capstan/orchestrator";
import type { Protocol } from "@capstan/plugins";
import { z } from "zod";
import { startNode, stopNodes } from "./node.ts";
import { codeOf, post, RawSocket, type Remote, transports } from "./session.ts";

afterEach(stopNodes);

/** A protocol whose executions end when the test says so. */
function slowProtocol() {
  const started = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<unknown>();
  const execute = () => {
    started.resolve();
    return ended.promise;
  };
  const protocol: Protocol = { name: "slow", configSchema: z.strictObject({}), execute };
  return { protocol, started: started.promise, end: ended.resolve };
}

async function startSlowNode() {
  const slow = slowProtocol();
  const node = await startNode({ protocols: [slow.protocol] });
  await node.ask("action", "register", { name: "slow", protocol: "slow" });
  return { node, ...slow };
}

async function answerOf(url: string, init?: RequestInit) {
  const response = await fetch(url, init);
  return { http: response.status, ...((await response.json()) as object) };
}

const codeThrown = async (start: () => unknown): Promise<string> => {
  try {
    await start();
    return "started";
  } catch (thrown) {
    return thrown instanceof FaultError ? thrown.code : String(thrown);
  }
};

test("the address is the loopback where none is named", () => {
  expect(DEFAULT_LISTEN).toStartWith("127.0.0.1:");
});

test("an address that others can reach has to be asked for", async () => {
  for (const listen of ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "127.0.0.1.example:0", "capstan.example:0", "0:0"])
    expect(await codeThrown(() => startNode({ listen }))).toBe("ADDRESS_REFUSED");
  const node = await startNode({ listen: "0.0.0.0:0", public: true });
  const url = `http://127.0.0.1:${new URL(node.url).port}`;
  expect(await answerOf(`${url}/healthz`)).toMatchObject({ http: 200 });
  expect(await answerOf(`${url}/healthz`, { headers: { host: "192.0.2.1" } })).toMatchObject({ http: 200 });
  expect(await answerOf(`${url}/healthz`, { headers: { host: "evil.example" } })).toMatchObject({
    code: "ORIGIN_REFUSED",
  });
});

test("a pipeline that asks nobody for a credential is not served to others", async () => {
  const anyone = definePlugin({
    name: "anyone",
    adds: [authority],
    decide: ({ envelope: { principal, grant } }) =>
      next({
        adds: { authority: { principal, grant, reads: () => true, writes: () => true, allows: () => undefined } },
      }),
  });
  const orchestrator = (await createOrchestrator({ plugins: [anyone] })) as Orchestrator;
  expect(await codeThrown(() => serve(orchestrator, { listen: "0.0.0.0:0", public: true }))).toBe("ADDRESS_REFUSED");
  await orchestrator.stop();
});

test.each(["7420x", "127.0.0.1", "127.0.0.1:70000", ":7420", "http://127.0.0.1:7420", ""])(
  "%p is no address",
  async (listen) => {
    expect(await codeThrown(() => startNode({ listen }))).toBe("CONFIG_UNKNOWN");
  },
);

test("a port in use is a fault that names it, and who has it goes on", async () => {
  const node = await startNode();
  const listen = new URL(node.url).host;
  expect(await codeThrown(() => startNode({ listen }))).toBe("PORT_IN_USE");
  expect(await answerOf(`${node.url}/healthz`)).toMatchObject({ http: 200 });
});

test("health is told of a node that runs; readiness ends with the log's, and comes back with it", async () => {
  const node = await startNode();
  const entries = node.log.head;
  const healthy = {
    http: 200,
    status: "ok",
    node: "n-embedded",
    entries,
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
  };
  expect(await answerOf(`${node.url}/healthz`)).toMatchObject(healthy);
  expect(await answerOf(`${node.url}/readyz`)).toMatchObject({ http: 200, ready: true });
  node.log.full = true;
  const scope = transports.WebSocket(node.url).connectionFromCli(node.admin);
  expect(await codeOf(scope.principal.create({ name: "bob" }))).toBe("LOG_UNAVAILABLE");
  expect(await answerOf(`${node.url}/readyz`)).toMatchObject({ http: 503, ready: false });
  expect((await fetch(`${node.url}/healthz`)).status).toBe(200);
  node.log.full = false;
  expect(await answerOf(`${node.url}/readyz`)).toMatchObject({ http: 200, ready: true });
});

test("what is at no path, or asked in no way that there is, is told in JSON", async () => {
  const { url } = await startNode();
  for (const path of ["/", "/absent", "/rpc/", "/healthz/x", "/%00", "/__proto__"])
    expect(await answerOf(url + path)).toMatchObject({ http: 404, code: "NOT_FOUND" });
  expect(await answerOf(`${url}/healthz`, { method: "DELETE" })).toMatchObject({ http: 404, code: "NOT_FOUND" });
  expect(await answerOf(`${url}/rpc`)).toMatchObject({ http: 405, code: "FRAME_INVALID" });
  expect((await post(url, "")).status).toBe(200);
});

test("a batch waits for an outcome as long as HTTP can, and is then told that it is pending", async () => {
  const { node, started, end } = await startSlowNode();
  const answers = [undefined, { wait: 86_400_000 }].map((options) =>
    transports["HTTP batch"](node.url).connectionFromCli(node.admin).action.perform({ name: "slow" }, options),
  );
  const settled = Promise.all(answers);
  const { committer } = node.orchestrator;
  const accepted = node.log.head + 2;
  await started;
  while (committer.durable < accepted) await (await fetch(`${node.url}/healthz`)).text();
  node.timers.advance(30_000);
  for (const answer of (await settled) as Remote[]) {
    expect(answer).toMatchObject({ execution: expect.stringMatching(/^x-/), pending: true });
  }
  end("late");
});

test("stop lets what runs come to its end and tells it, then closes the sessions", async () => {
  const { node, started, end } = await startSlowNode();
  const session: Remote = transports.WebSocket(node.url);
  const scope = session.connectionFromCli(node.admin);
  const idle = await RawSocket.open(node.url);
  const live = scope.action.perform({ name: "slow" });
  const batched = transports["HTTP batch"](node.url).connectionFromCli(node.admin).action.perform({ name: "slow" });
  const outcomes = Promise.all([live, batched]);
  const accepted = node.log.head + 2;
  await started;
  while (node.orchestrator.committer.durable < accepted) await (await fetch(`${node.url}/healthz`)).text();

  let stopped = false;
  const stopping = node.stop().then(() => {
    stopped = true;
  });
  expect(await answerOf(`${node.url}/readyz`)).toMatchObject({ http: 503, why: "stopping" });
  expect(await codeOf(scope.log.head())).toBe("STOPPING");
  expect(await answerOf(`${node.url}/rpc`, { method: "POST", body: "" })).toMatchObject({
    http: 503,
    code: "STOPPING",
  });
  await expect(RawSocket.open(node.url)).rejects.toThrow();
  expect(stopped).toBe(false);

  end("done");
  expect(await outcomes).toMatchObject([{ output: "done" }, { output: "done" }]);
  await stopping;
  expect((await idle.closed).code).toBe(1001);
  await expect(fetch(`${node.url}/healthz`)).rejects.toThrow();
});

test("stop does not wait for who only listens", async () => {
  const node = await startNode();
  const batch = transports["HTTP batch"](node.url).connectionFromCli(node.admin);
  const before = node.lines.length;
  const tailed = codeOf(batch.log.tail({ wait: 60_000 }));
  const socket = transports.WebSocket(node.url).connectionFromCli(node.admin);
  const heard = codeOf(socket.log.tail({ wait: 60_000 }));
  // Both were decided once the node's log names them.
  while (node.lines.slice(before).filter((line) => line.includes('"log.tail"')).length < 2)
    await (await fetch(`${node.url}/healthz`)).text();
  await node.stop();
  expect(await tailed).not.toBe("ok");
  expect(await heard).not.toBe("ok");
});
