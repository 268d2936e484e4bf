// What a session keeps to over every transport: what stock clients get, what others are refused, and that no reply leaves too soon.

// biome-ignore-all lint/suspicious/noExplicitAny: a stock client is a Proxy, whose type the test cannot know.

import { afterEach, describe, expect, test } from "bun:test";
import type { Wire } from "./wire.fixture.ts";
import { connect, type Session, turn, World } from "./world.fixture.ts";

export function describeSessions(wire: Wire): void {
  let world: World;
  afterEach(() => world.stop());

  const nestedMap = `["push",["remap",1,[],[],[["remap",0,[],[],[["remap",0,[],[],[["pipeline",-1,["list"],[]]]]]]]]]`;

  async function refused(code: string, limit: string | undefined, ...frames: string[]) {
    const neighbour = await world.client();
    const before = world.calls;
    const peer = await (await world.peer()).send(...frames);
    const close = await peer.closed;
    expect(close.reason).toBe(code);
    expect(peer.abort[1]).toMatchObject(["error", "Error", expect.any(String), null, { code }]);
    if (limit) expect(peer.abort[1][4]).toMatchObject({ details: { limit } });
    const used = world.calls - before;
    expect(await neighbour.show({ id: 1 })).toEqual({ shown: 1 });
    return used;
  }

  describe("a stock client", () => {
    test("connects, pipelines and maps in one burst", async () => {
      world = await World.over(wire);
      world.verifying = Promise.withResolvers();
      const main: any = world.listening.main();
      const scope = main.connect("good");
      const shown = scope.list(3).map((row: any) => scope.show({ id: row.id }));
      const result = shown.then((value: unknown) => value);
      await world.sessions[0]?.budget.pendingAuthentication;
      world.verifying.resolve();
      expect(await result).toEqual([{ shown: 0 }, { shown: 1 }, { shown: 2 }]);
    });

    test("leaves nothing live behind", async () => {
      world = await World.over(wire);
      const scope = await world.client();
      await Promise.all(Array.from({ length: 500 }, (_, id) => scope.show({ id })));
      for (let i = 0; i < 10; i++) scope.show({ id: i })[Symbol.dispose]();
      scope[Symbol.dispose]();
      const raw = world.sessions[0] as Session;
      while (raw.budget.liveExports > 0) await turn();
      expect(raw.budget.breach).toBeUndefined();
      expect(raw.budget.callsInFlight).toBe(0);
    });

    test("gets replies in the order of its calls, many at once", async () => {
      world = await World.over(wire);
      const scope = await world.client();
      const results = await Promise.all(Array.from({ length: 1_000 }, (_, id) => scope.show({ id })));
      expect(results.map((result: any) => result.shown)).toEqual(Array.from({ length: 1_000 }, (_, id) => id));
    });

    test("hears the limit that it went over", async () => {
      world = await World.over(wire, { expansionsPerMap: 100 });
      const scope = await world.client();
      const error = await scope
        .list(101)
        .map((row: any) => row.id)
        .then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
      expect(error).toMatchObject({ code: "SESSION_BUDGET", message: expect.stringContaining("expansionsPerMap") });
    });
  });

  describe("before authentication", () => {
    test("a nested map ends the session before it costs a call", async () => {
      world = await World.over(wire);
      expect(await refused("SESSION_BUDGET", undefined, '["push",["pipeline",0,["list"],[]]]', nestedMap)).toBe(1);
    });

    test("a map behind a failed authentication ends the session", async () => {
      world = await World.over(wire);
      const map = '["push",["remap",1,[],[],[["pipeline",0,["id"]]]]]';
      await refused("SESSION_BUDGET", "maps", connect.replace("good", "bad"), map);
    });

    test("many calls and large frames end it", async () => {
      world = await World.over(wire);
      await refused("SESSION_BUDGET", "calls", ...Array(9).fill('["push",["pipeline",0,["list"],[]]]'));
      await refused("SESSION_BUDGET", "frameBytes", " ".repeat(70_000));
    });

    test("what waits behind a credential is bounded", async () => {
      world = await World.over(wire, { waitingBytes: 10_000 });
      const neighbour = await world.client();
      world.verifying = Promise.withResolvers();
      const peer = await (await world.peer()).send(connect, ...Array(100).fill(`["pull",1${" ".repeat(1_000)}]`));
      expect((await peer.closed).reason).toBe("SESSION_BUDGET");
      expect(await neighbour.show({ id: 1 })).toEqual({ shown: 1 });
    });
  });

  describe("after authentication", () => {
    const list = '["push",["pipeline",1,["list"],[100]]]';

    test("a nested map ends the session", async () => {
      world = await World.over(wire);
      expect(
        await refused("SESSION_BUDGET", "nestedMaps", connect, list, nestedMap.replace('remap",1', 'remap",2')),
      ).toBe(1);
    });

    test.each([
      ["plain", '["pipeline",1,["list"],[100]]'],
      ["escaped", '["\\u0070ipeline",1,["list"],[100]]'],
      ["spaced", ' [\n"pipeline" , 1,["list"],[100] ] '],
    ])("a %s call in an argument ends it, and none of them runs", async (_, call) => {
      world = await World.over(wire);
      const bomb = `["push",["pipeline",1,["take"],[${Array(10_000).fill(call).join()}]]]`;
      expect(await refused("SESSION_BUDGET", "nestedCalls", connect, bomb)).toBe(0);
    });

    test("references that double with every push end it", async () => {
      world = await World.over(wire, { copiedValues: 100_000 });
      const doubling = (id: number) => `["push",["pipeline",1,["take"],[["pipeline",${id}],["pipeline",${id}]]]]`;
      const literal = (id: number) => `["push",[[["pipeline",${id}],["pipeline",${id}]]]]`;
      await refused("FRAME_INVALID", undefined, connect, list, ...Array.from({ length: 30 }, (_, i) => literal(i + 2)));
      await refused("SESSION_BUDGET", "copiedValues", connect, list, ...Array(600).fill(doubling(2)));
    });

    test("a client that never releases is ended", async () => {
      world = await World.over(wire, { liveExports: 200 });
      await refused(
        "SESSION_BUDGET",
        "liveExports",
        connect,
        ...Array(200).fill('["push",["pipeline",1,["take"],[]]]'),
      );
    });

    test("a client that releases calls which never end is ended", async () => {
      world = await World.over(wire, { liveExports: 200 });
      const frames = [connect, '["push",["pipeline",1,["hang"],[]]]'];
      for (let id = 3; id < 210; id++) frames.push('["push",["pipeline",2,["x"],[]]]', `["release",${id},1]`);
      await refused("SESSION_BUDGET", "liveExports", ...frames);
    });

    test("a released call runs, and its reply is not sent", async () => {
      world = await World.over(wire);
      const peer = await (await world.peer()).send(
        connect,
        '["push",["pipeline",1,["show"],[{"id":1}]]]',
        '["release",2,1]',
        '["push",["pipeline",1,["show"],[{"id":2}]]]',
        '["pull",3]',
      );
      await peer.heard((frame) => frame[0] === "resolve" && frame[1] === 3);
      expect(peer.frames).toEqual([["resolve", 3, { shown: 2 }]]);
      expect(world.calls).toBe(2);
    });

    test("a stub in a reply that nobody asked for is released for the peer", async () => {
      world = await World.over(wire);
      const peer = await (await world.peer()).send(connect, '["release",1,1]');
      await world.disposed.promise;
      await peer.roundTrip();
      expect(peer.frames).toEqual([]);
      expect(world.sessions[0]?.budget.liveExports).toBe(0);
    });

    test.each([
      ["half a frame", '["push",["pipeline",1,["list"],['],
      ["no array", "{}"],
      ["a stream", '["pipe"]'],
      ["an unknown export", '["pull",77]'],
    ])("%s is invalid", async (_, frame) => {
      world = await World.over(wire);
      await refused("FRAME_INVALID", undefined, connect, frame);
    });

    test("a giant frame ends it", async () => {
      world = await World.over(wire, { frameBytes: 100_000 });
      await refused(
        "SESSION_BUDGET",
        "frameBytes",
        connect,
        `["push",["pipeline",1,["take"],["${"x".repeat(100_000)}"]]]`,
      );
    });

    test("a client that never reads is disconnected", async () => {
      world = await World.over(wire, { outboundBytes: 1024 * 1024 });
      const neighbour = await world.client();
      const frames = [connect];
      for (let id = 2; id < 40; id++) frames.push('["push",["pipeline",1,["text"],[1000000]]]', `["pull",${id}]`);
      const letGo = await world.listening.deaf(frames);
      while (world.sessions.length < 2) await turn();
      const session = world.sessions[1] as Session;
      await session.over.promise;
      expect(session.budget.breach?.message).toContain("outboundBytes");
      expect(await neighbour.show({ id: 1 })).toEqual({ shown: 1 });
      letGo();
    });
  });

  describe("output commit", () => {
    test("no reply leaves before what it was decided on is durable", async () => {
      world = await World.over(wire);
      const peer = await (await world.peer()).send(
        connect,
        '["push",["pipeline",1,["decide"],[]]]',
        '["pull",2]',
        '["push",["pipeline",1,["show"],[{"id":1}]]]',
        '["pull",3]',
      );
      while (world.calls < 2) await turn();
      await peer.roundTrip();
      expect(peer.frames).toEqual([]);
      world.log.commit();
      await peer.heard((frame) => frame[1] === 3);
      expect(peer.frames).toEqual([
        ["resolve", 2, 1],
        ["resolve", 3, { shown: 1 }],
      ]);
    });

    test("a reply leaves as it is where what was decided since is undone, and the session goes on", async () => {
      world = await World.over(wire);
      const scope = await world.client();
      const decided = scope.decide().then((value: unknown) => value);
      while (world.log.listeners.size === 0) await turn();
      world.log.undo();
      expect(await decided).toBe(1);
      expect(await scope.show({ id: 1 })).toEqual({ shown: 1 });
    });
  });
}
