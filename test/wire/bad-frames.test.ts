// Bad input at the doors (issue 2, "Bad input"), below the level of messages: bytes, frames, hosts, bombs. Each is a clear fault,
// no entry, no row, nothing owed, and the neighbours do not notice.

import { afterEach, expect, test } from "bun:test";
import { startNode, stopNodes, type TestNode } from "./node.ts";
import { codeOf, post, RawSocket, type Remote, transportNames, transports } from "./session.ts";

afterEach(stopNodes);

/** Runs `act` beside a session that was there before; nothing of it may be left, and the neighbour goes on. */
async function unnoticed(node: TestNode, act: () => Promise<unknown>): Promise<void> {
  const neighbour: Remote = transports.WebSocket(node.url);
  const scope = neighbour.connectionFromCli(node.admin);
  await scope.log.head();
  const before = node.rows();
  expect((await node.added(act)).map(({ header }) => header.message)).toEqual([]);
  expect(node.rows()).toBe(before);
  expect(await codeOf(scope.log.head())).toBe("ok");
  expect(await (await fetch(`${node.url}/readyz`)).json()).toEqual({ ready: true });
  neighbour[Symbol.dispose]();
}

const text = (frame: unknown): string => JSON.stringify(frame);
const nested = (levels: number): string => `${"[[".repeat(levels)}1${"]]".repeat(levels)}`;
const connect = (secret: string): string => text(["push", ["pipeline", 0, ["connectionFromCli"], [secret]]]);
const perform = (data: string): string => `["push",["pipeline",1,["action","perform"],[${data}]]]`;

const notFrames: Readonly<Record<string, string>> = {
  "no JSON": "{",
  "half a frame": '["push",["pipeline",0,["health"]',
  "no array": '{"push":1}',
  "an unknown type": '["jump",1]',
  "a push of no call": '["push",{"a":1}]',
  "arguments that are no list": '["push",["pipeline",0,["health"],{"length":1}]]',
  "a reference to nothing": '["push",["pipeline",0,["health"],[["import","x"]]]]',
  "a pull of nothing": '["pull",99]',
  "a release of too much": '["release",0,-1]',
  "a special form that there is not": '["push",["pipeline",0,["health"],[["eval","1"]]]]',
  "a stream": '["stream",["pipeline",0,["health"],[]]]',
  "300 levels": `["push",["pipeline",0,["health"],[${nested(300)}]]]`,
  "30,000 levels": `["push",["pipeline",0,["health"],[${"[".repeat(30_000)}${"]".repeat(30_000)}]]]`,
};

test.each(Object.entries(notFrames))("a frame that is %s ends its session with FRAME_INVALID", async (_, frame) => {
  const node = await startNode();
  await unnoticed(node, async () => {
    const socket = await RawSocket.open(node.url);
    socket.send(frame);
    expect(await socket.ended()).toMatchObject({ code: "FRAME_INVALID" });
    const response = await post(node.url, frame);
    expect({ status: response.status, ...(await response.json()) }).toMatchObject({
      status: 400,
      code: "FRAME_INVALID",
    });
  });
});

test("what stands behind a bad frame is not done, and what stands before it in a batch is not told", async () => {
  const node = await startNode();
  const create = text(["push", ["pipeline", 1, ["principal", "create"], [{ name: "bob" }]]]);
  await unnoticed(node, async () => {
    const response = await post(node.url, [connect(node.admin), "{", create].join("\n"));
    expect(await response.json()).toMatchObject({ code: "FRAME_INVALID" });
  });
  const before = await node.added(() => post(node.url, [connect(node.admin), create, '["pull",2]', "{"].join("\n")));
  // It was decided before the bad frame was read, and stands: its caller has to ask.
  expect(before.map(({ header }) => header.message)).toEqual(["principal.create"]);
});

test("what is not UTF-8, or is binary, is no frame", async () => {
  const node = await startNode();
  const invalid = new Uint8Array([...new TextEncoder().encode('["push",["pipeline",0,["'), 0xff, 0xfe, 0x22]);
  await unnoticed(node, async () => {
    const response = await post(node.url, invalid);
    expect({ status: response.status, ...(await response.json()) }).toMatchObject({
      status: 400,
      code: "FRAME_INVALID",
    });
    const socket = await RawSocket.open(node.url);
    socket.send(invalid);
    expect(await socket.ended()).toMatchObject({ code: "FRAME_INVALID" });
  });
});

test("a body or frame over its limit is refused: as TOO_LARGE, or with the session's budget", async () => {
  const node = await startNode({ limits: { frameBytes: 10_000, anonymousFrameBytes: 2_000 } });
  const large = perform(text({ name: "greet", input: "x".repeat(20_000) }));
  await unnoticed(node, async () => {
    for (const body of [large, "x".repeat(50_000)]) {
      const response = await post(node.url, body);
      expect({ status: response.status, ...(await response.json()) }).toMatchObject({ status: 413, code: "TOO_LARGE" });
    }
    const chunked = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(6_000).fill(32));
      },
    });
    const endless = await fetch(`${node.url}/rpc`, { method: "POST", body: chunked });
    expect({ status: endless.status, ...(await endless.json()) }).toMatchObject({ status: 413, code: "TOO_LARGE" });

    const anonymous = await RawSocket.open(node.url);
    anonymous.send(large.slice(0, 3_000));
    expect(await anonymous.ended()).toMatchObject({ code: "SESSION_BUDGET" });
    const known = await RawSocket.open(node.url);
    known.send(connect(node.admin), '["pull",1]');
    await known.answer(1);
    known.send(large);
    expect(await known.ended()).toMatchObject({ code: "SESSION_BUDGET" });
  });
});

test.each([
  ["a foreign page", { origin: "https://evil.example" }],
  ["a page without an origin", { origin: "null" }],
  ["a host that was rebound", { host: "evil.example" }],
  ["a host that only looks local", { host: "localhost.evil.example" }],
  ["a host that only looks local, with a port", { host: "127.0.0.1.evil.example:80" }],
  ["a foreign page that was rebound", { host: "evil.example", origin: "http://evil.example" }],
] as const)("%s reaches no door", async (_, headers) => {
  const node = await startNode();
  await unnoticed(node, async () => {
    for (const path of ["/rpc", "/healthz", "/readyz", "/absent"]) {
      const response = await fetch(node.url + path, { method: path === "/rpc" ? "POST" : "GET", headers });
      expect({ status: response.status, ...(await response.json()) }).toMatchObject({
        status: 403,
        code: "ORIGIN_REFUSED",
      });
    }
    await expect(RawSocket.open(node.url, headers)).rejects.toThrow();
    const upgrade = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    };
    const refused = await fetch(`${node.url}/rpc`, { headers: { ...upgrade, ...headers } });
    expect(refused.status).toBe(403);
  });
});

test("the node's own pages and any other loopback name reach it", async () => {
  const node = await startNode();
  const port = new URL(node.url).port;
  for (const headers of [
    { origin: node.url },
    { host: `localhost:${port}` },
    { host: `[::1]:${port}` },
    { host: `LOCALHOST:${port}` },
  ])
    expect((await fetch(`${node.url}/healthz`, { headers: headers as never })).status).toBe(200);
});

// `.map()` inside `.map()`: 238 bytes made 160,000 calls of capnweb by itself.
const element = '["pipeline",0,[]]';
const innerMap = `["remap",0,["items"],[],[${element}]]`;
const bombs: Readonly<Record<string, (target: number) => string>> = {
  "a map": (target) => `["push",["remap",${target},["items"],[],[${element}]]]`,
  "a nested map": (target) => `["push",["remap",${target},["items"],[],[${innerMap}]]]`,
  "a map in an argument": (target) => `["push",["pipeline",${target},["log","head"],[${innerMap}]]]`,
};

test.each(Object.entries(bombs))("%s before authentication ends that session alone", async (_, bomb) => {
  const node = await startNode();
  await unnoticed(node, async () => {
    const socket = await RawSocket.open(node.url);
    socket.send(bomb(0));
    expect(await socket.ended()).toMatchObject({ code: "SESSION_BUDGET" });
    const response = await post(node.url, bomb(0));
    expect({ status: response.status, ...(await response.json()) }).toMatchObject({
      status: 429,
      code: "SESSION_BUDGET",
    });
  });
});

test.each(Object.entries(bombs).slice(1))("%s after authentication ends that session alone", async (_, bomb) => {
  const node = await startNode();
  await unnoticed(node, async () => {
    const socket = await RawSocket.open(node.url);
    socket.send(connect(node.admin), text(["push", ["pipeline", 1, ["action", "list"], []]]), bomb(2));
    expect(await socket.ended()).toMatchObject({ code: "SESSION_BUDGET" });
    const lines = [connect(node.admin), text(["push", ["pipeline", 1, ["action", "list"], []]]), bomb(2), '["pull",3]'];
    const response = await post(node.url, lines.join("\n"));
    expect({ status: response.status, ...(await response.json()) }).toMatchObject({
      status: 429,
      code: "SESSION_BUDGET",
    });
  });
});

test("calls without end, before authentication or after it, end that session alone", async () => {
  const node = await startNode({ limits: { callsInFlight: 50, liveExports: 200 } });
  await unnoticed(node, async () => {
    const guesses = await RawSocket.open(node.url);
    for (let i = 0; i < 20; i++) guesses.send(connect(`guess-${i}`));
    // Told of the guess, and not of the budget that ends the guessing.
    expect(await guesses.ended()).toMatchObject({ code: "CREDENTIAL_INVALID" });
    const many = await RawSocket.open(node.url);
    many.send(connect(node.admin));
    for (let i = 0; i < 60; i++) many.send(text(["push", ["pipeline", 1, ["log", "tail"], [{ wait: 60_000 }]]]));
    expect(await many.ended()).toMatchObject({ code: "SESSION_BUDGET" });
    const stubs = await RawSocket.open(node.url);
    stubs.send(connect(node.admin));
    for (let i = 0; i < 300; i++) stubs.send(text(["push", ["pipeline", 1, ["action"]]]), `["pull",${i + 2}]`);
    expect(await stubs.ended()).toMatchObject({ code: "SESSION_BUDGET" });
  });
});

test.each(transportNames)(
  "over %s authenticating, performing and mapping over the output is one round trip",
  async (transport) => {
    const node = await startNode();
    await node.ask("action", "register", { name: "greet", protocol: "echo" });
    const scope = transports[transport](node.url).connectionFromCli(node.admin);
    const listed = scope.action.perform({ name: "greet", input: { items: [1, 2, 3] } });
    const mapped = listed.output.items.map((item: Remote) => scope.action.perform({ name: "greet", input: { item } }));
    expect(await mapped).toMatchObject([1, 2, 3].map((item) => ({ output: { item } })));
  },
);
