// The order of calls and replies over every transport, as capnweb reads with our patch and as it reads without (ADR 0010).

import { afterEach, describe, expect, test } from "bun:test";
import type { SessionLimits } from "../../rpc/limits.ts";
import type { Wire } from "./wire.fixture.ts";
import { connect, World } from "./world.fixture.ts";

export function describeOrder(wire: Wire): void {
  let world: World;
  afterEach(() => world.stop());

  describe.each([
    ["listening", true],
    ["receiving", false],
  ])("in order, %s:", (_, listens) => {
    const at = (id: number, method: string, ...args: unknown[]) =>
      JSON.stringify(["push", ["pipeline", id, [method], args]]);
    /** A peer that holds the scope twice: as the promise 1 and, resolved, as the stub -1. */
    async function connected(limits: Partial<SessionLimits> = {}) {
      world = await World.over(wire, limits, listens);
      const peer = await (await world.peer()).send(connect, '["pull",1]');
      await peer.heard((frame) => frame[0] === "resolve" && frame[1] === 1);
      peer.frames.length = 0;
      return peer;
    }

    test("calls begin as they were made, on a promise, on what it gives and on its stub", async () => {
      const peer = await connected();
      world.verifying = Promise.withResolvers();
      await peer.send(
        connect,
        at(1, "self"),
        at(1, "mark", "promise"),
        at(3, "mark", "result"),
        at(-1, "mark", "stub"),
        '["push",["remap",-1,[],[],[["pipeline",0,["mark"],["map"]]]]]',
        at(1, "mark", "promise again"),
        at(-1, "mark", "stub again"),
        '["pull",9]',
      );
      await world.sessions[0]?.budget.pendingAuthentication;
      await peer.roundTrip();
      expect(world.marks).toEqual([]);
      world.verifying.resolve();
      await peer.heard((frame) => frame[1] === 8 || frame[1] === 9 || frame[0] === "abort");
      expect(world.marks).toEqual(["promise", "result", "stub", "map", "promise again", "stub again"]);
    });

    test("a second credential holds back what is behind it, and nothing before it", async () => {
      const peer = await connected();
      world.verifying = Promise.withResolvers();
      await peer.send(at(-1, "mark", "before"), connect, at(-1, "mark", "behind"), '["pull",4]');
      await peer.roundTrip();
      expect(world.marks).toEqual(["before"]);
      world.verifying.resolve();
      await peer.heard((frame) => frame[1] === 4);
      expect(world.marks).toEqual(["before", "behind"]);
    });

    test("a promise in a reply is told after the reply", async () => {
      const peer = await connected();
      await peer.send(at(-1, "nested"), '["pull",2]');

      await peer.heard((frame) => frame[1] === -2);
      expect(peer.frames).toEqual([
        ["resolve", 2, { at: "once", later: ["promise", -2] }],
        ["resolve", -2, "later"],
      ]);
    });

    test("a call is answered once, and a released one not after", async () => {
      const peer = await connected();
      await peer.send(at(-1, "mark", "a"), '["pull",2]', '["pull",2]', '["release",2,1]', at(-1, "hang"), '["pull",3]');
      await peer.send('["release",3,1]', at(-1, "mark", "b"), '["pull",4]');
      await peer.heard((frame) => frame[1] === 4);
      expect(peer.frames).toEqual([
        ["resolve", 2, "a"],
        ["resolve", 4, "b"],
      ]);
      world.hanging.resolve();
      await peer.send('["release",4,1]', at(-1, "mark", "c"), '["pull",5]');
      await peer.heard((frame) => frame[1] === 5);
      // Its end is known: what is live is the stub and its promise, and the last call.
      expect(world.sessions[0]?.budget.liveExports).toBe(3);
    });

    test("what is told later is answered then, and what was called on it begins then", async () => {
      const peer = await connected();
      await peer.send(
        at(-1, "later", "self"),
        at(2, "mark", "on it"),
        at(-1, "later", "list"),
        '["pull",2]',
        '["pull",3]',
      );
      await peer.send('["pull",4]', at(-1, "mark", "meanwhile"), '["pull",5]');
      await peer.heard((frame) => frame[1] === 5);
      expect([world.marks, peer.frames]).toEqual([["meanwhile"], [["resolve", 5, "meanwhile"]]]);
      for (const told of world.untold) told.resolve();
      for (const id of [2, 3, 4]) await peer.heard((frame) => frame[1] === id);
      expect(world.marks).toEqual(["meanwhile", "on it"]);
      expect(peer.frames.toSorted((a, b) => a[1] - b[1]).slice(0, 3)).toEqual([
        ["resolve", 2, ["export", -2]],
        ["resolve", 3, "on it"],
        ["resolve", 4, [[{ id: 0 }, { id: 1 }]]],
      ]);
      await peer.send(
        at(4, "never"),
        '["pull",6]',
        at(4, "length"),
        '["pull",7]',
        at(-2, "mark", "its stub"),
        '["pull",8]',
      );
      await peer.heard((frame) => frame[1] === 8);
      expect(world.marks.at(-1)).toBe("its stub");
    });

    test("of what is told later and was released nothing is left, and what it throws is rejected", async () => {
      const peer = await connected();
      const released = [
        at(-1, "later", "list"),
        '["pull",2]',
        '["release",2,1]',
        at(-1, "later", "self"),
        '["release",3,1]',
      ];
      await peer.send(...released, at(-1, "later", "refuse"), '["pull",4]', at(4, "mark", "never"), '["pull",5]');
      await peer.roundTrip();
      for (const told of world.untold) told.resolve();
      await peer.heard((frame) => frame[1] === 5);
      const busy = ["error", "Error", "not now", null, expect.objectContaining({ code: "BUSY" })];
      expect(peer.frames.filter(([type]) => type === "reject")).toMatchObject([
        ["reject", 4, busy],
        ["reject", 5, busy],
      ]);
      expect(world.marks).toEqual([]);
      await world.disposed.promise;
      // The scope, its promise, and the two that were rejected.
      expect(world.sessions[0]?.budget.liveExports).toBe(4);
    });

    test.each(["refuse", "refuseLater"])(
      "what a %s throws, and what is called on it, is rejected; others go on",
      async (method) => {
        const peer = await connected();
        await peer.send(
          at(-1, method),
          at(2, "mark", "never"),
          '["pull",2]',
          '["pull",3]',
          at(-1, "mark", "on"),
          '["pull",4]',
        );
        for (const id of [2, 3, 4]) await peer.heard((frame) => frame[1] === id);
        const busy = ["error", "Error", "not now", null, expect.objectContaining({ code: "BUSY" })];
        expect(peer.frames.toSorted((a, b) => a[1] - b[1])).toMatchObject([
          ["reject", 2, busy],
          ["reject", 3, busy],
          ["resolve", 4, "on"],
        ]);
        expect(world.marks).toEqual(["on"]);
      },
    );

    test("a result that is a stub is called at once and by its reply, and disposed of when released", async () => {
      const peer = await connected();
      await peer.send(at(-1, "self"), at(2, "mark", "pipelined"), '["pull",2]');
      await peer.heard((frame) => frame[1] === 2);
      expect(peer.frames).toEqual([["resolve", 2, ["export", -2]]]);
      await peer.send('["release",2,1]', at(-2, "mark", "stub"), '["pull",4]');
      await peer.heard((frame) => frame[1] === 4);
      expect(world.marks).toEqual(["pipelined", "stub"]);
      await peer.send('["release",-2,1]');
      await world.disposed.promise;
    });

    test("a promise as an argument is waited for, and the call behind it is not", async () => {
      const peer = await connected();
      await peer.send(at(-1, "list", 1), '["push",["pipeline",-1,["show"],[["pipeline",2,[0]]]]]', '["pull",3]');
      await peer.send('["push",["pipeline",-1,["hang"],[]]]', '["push",["pipeline",-1,["take"],[["pipeline",4]]]]');
      await peer.send(at(-1, "mark", "behind"), '["pull",6]', '["pull",5]');
      for (const id of [3, 6]) await peer.heard((frame) => frame[1] === id);
      // The one that waits for its argument may be answered behind the other.
      expect(peer.frames.toSorted((a, b) => a[1] - b[1])).toEqual([
        ["resolve", 3, { shown: 0 }],
        ["resolve", 6, "behind"],
      ]);
      world.hanging.resolve();
      expect(await peer.heard((frame) => frame[1] === 5)).toEqual(["resolve", 5, 0]);
    });

    test.each([
      ["the peer's abort", '["abort",null]', 0],
      ["a bad frame", '["pull",77]', 1],
    ])("nothing behind %s is evaluated, even where it waited", async (_, last, aborts) => {
      const peer = await connected();
      world.verifying = Promise.withResolvers();
      await peer.send(connect, at(-1, "mark", "before"), last, at(-1, "mark", "behind"));
      await peer.roundTrip();
      world.verifying.resolve();
      await peer.closed;
      expect(world.marks).toEqual(["before"]);
      expect(peer.frames.filter((frame) => frame[0] === "abort")).toHaveLength(aborts);
      await world.disposed.promise;
    });
  });
}
