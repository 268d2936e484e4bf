import { afterEach, expect, test } from "bun:test";
import type { FaultError } from "../../fault/fault.ts";
import { ManualTime } from "../../testing/manual-time.fixture.ts";
import { systemTimers } from "../../time/timers.ts";
import { connect, turn, World } from "../conformance/world.fixture.ts";
import { CLOSE_ABNORMAL, type DialledLink } from "../link.ts";
import { bytes } from "./bind.ts";
import { irohDial } from "./dial.ts";
import { type IrohPeer, irohWire, loopback, rawConnection, SECRET_KEY, wireWith } from "./iroh.fixture.ts";
import { IrohListener } from "./listener.ts";

let world: World;
afterEach(() => world?.stop());

const url = (): string => world.listening.url as string;
/** Somebody else's key. */
const KEY = "3af193cd268a4457168eacff6e8d0e3786901bc9d322957448f28e4c3e33fb5f";
const of = (key: string) => (): string => url().replace(/[0-9a-f]{64}/, key);

test("who speaks another protocol is turned away, and whoever comes next is not", async () => {
  world = await World.over(irohWire);
  await expect(rawConnection(url(), bytes("another/1"))).rejects.toThrow("known protocol");
  const scope = await world.client();
  expect(await scope.show({ id: 1 })).toEqual({ shown: 1 });
});

test("a connection has one stream: what comes over others is nobody's", async () => {
  world = await World.over(irohWire);
  const peer = (await world.peer()) as IrohPeer;
  await peer.send(connect);
  for (const stream of [peer.connection.openBi(), peer.connection.openUni()]) stream.catch(() => {});
  await peer.send('["push",["pipeline",1,["show"],[{"id":1}]]]', '["pull",2]');
  await peer.heard((frame) => frame[1] === 2);
  expect(world.sessions.length).toBe(1);
});

test("a frame that claims gigabytes is not waited for", async () => {
  world = await World.over(irohWire);
  const peer = (await world.peer()) as IrohPeer;
  await peer.bytes([0x7f, 0xff, 0xff, 0xff, 0x5b]);
  expect((await peer.closed).reason).toBe("SESSION_BUDGET");
  expect(peer.abort[1][4]).toMatchObject({ details: { limit: "frameBytes" } });
});

test("who has no credential may claim no more than waits behind one", async () => {
  world = await World.over(irohWire, { waitingBytes: 1_000, anonymousFrameBytes: 1_000 });
  const peer = (await world.peer()) as IrohPeer;
  await peer.bytes([0, 0, 0x10, 0, 0x5b]);
  expect((await peer.closed).reason).toBe("SESSION_BUDGET");
});

test("one that has to make room is told why, and is over", async () => {
  const terminations: (() => void)[] = [];
  world = await World.over({
    ...irohWire,
    listen: (arrived) =>
      irohWire.listen((connection) => {
        terminations.push(() => connection.terminate());
        return arrived(connection);
      }),
  });
  const connection = await rawConnection(url());
  while (terminations.length === 0) await turn();
  for (const terminate of terminations) terminate();
  await connection.closed();
  expect(connection.closeReason()).toContain("SESSION_BUDGET");
});

test("a peer that is silent for four beats is gone; one that beats is not", async () => {
  const time = new ManualTime();
  world = await World.over(wireWith(time));
  const peer = (await world.peer()) as IrohPeer;
  await peer.send(connect);
  await peer.roundTrip();
  time.advance(15_000);
  await peer.bytes([0, 0, 0, 0]);
  await peer.send('["push",["pipeline",1,["mark"],["read"]]]');
  while (world.marks.length === 0) await turn();
  time.advance(15_000);
  expect(await Promise.race([world.sessions[0]?.over.promise, Promise.resolve("there")])).toBe("there");
  time.advance(5_000);
  expect(await world.sessions[0]?.over.promise).toMatchObject({ code: CLOSE_ABNORMAL });
});

test("a node beats, so that its clients know that it is there", async () => {
  const time = new ManualTime();
  world = await World.over(wireWith(time));
  const peer = (await world.peer()) as IrohPeer;
  await peer.send(connect);
  await peer.roundTrip();
  const before = peer.beats;
  time.advance(5_000);
  while (peer.beats === before) await turn();
});

test("what listens on loopback is reached by nobody else", async () => {
  const listener = await IrohListener.open({
    ...{ ...loopback, secretKey: SECRET_KEY, timers: systemTimers },
    arrived: () => ({ arriving() {}, left() {}, opened: () => ({ received() {}, invalid() {}, closed() {} }) }),
  });
  expect(listener.sockets.length).toBe(2);
  for (const socket of listener.sockets) expect(socket).toMatch(/^(127\.0\.0\.1|\[::1\]):\d+$/);
  await listener.stop();
});

test.each([
  ["another key is there", of(KEY), "UNREACHABLE", /another key answers at its address$/],
  ["nothing is said of where it is", () => `iroh://${KEY}`, "IROH_ADDRESS_INVALID", /nothing says where the node/],
  ["the key is too short", of("abc"), "IROH_ADDRESS_INVALID", /64 hexadecimal digits$/],
  ["the key is none", of("ab".repeat(32)), "IROH_ADDRESS_INVALID", /is no public key$/],
])("where %s, the dial says so, in one line", async (_, asked, code, why) => {
  world = await World.over(irohWire);
  const thrown = await irohDial()(asked()).then(
    (link) => link.terminate(),
    (thrown: FaultError) => thrown,
  );
  expect([thrown?.code, thrown?.message]).toEqual([code, expect.stringMatching(why)]);
  expect(thrown?.message.split("\n").length).toBe(1);
});

test("a node may be at a name, and at more than one address", async () => {
  world = await World.over(irohWire);
  const link = await irohDial()(url().replace("addr=127.0.0.1:", "addr=127.0.0.1:9,localhost:"));
  link.terminate();
});

test("who does not answer is not waited for longer than is said", async () => {
  const time = new ManualTime();
  const mute = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = mute;
  const dialled = irohDial({ timers: time })(`iroh://${KEY}?addr=127.0.0.1:${port}`);
  dialled.catch(() => {});
  while (time.waiting === 0) await turn();
  time.advance(8_000);
  await expect(dialled).rejects.toMatchObject({
    code: "UNREACHABLE",
    message: expect.stringContaining("not within 8 s"),
  });
  mute.stop(true);
});

test("a node's frame that is larger than a client takes ends the session", async () => {
  world = await World.over(irohWire);
  const link: DialledLink = await irohDial({ frameBytes: 1_000 })(url());
  const said = Promise.withResolvers<string>();
  link.carry({ received() {}, invalid: ({ message }) => said.resolve(message), closed() {} });
  link.send([connect, '["push",["pipeline",1,["text"],[2000]]]', '["pull",2]']);
  expect(await said.promise).toContain("1000 are taken");
  link.terminate();
});
