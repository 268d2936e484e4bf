// How links begin, bear and end, over every transport: large frames, callbacks, many at once, peers that go, nodes that stop.

// biome-ignore-all lint/suspicious/noExplicitAny: a stock client is a Proxy, whose type the test cannot know.

import { afterEach, describe, expect, test } from "bun:test";
import { CLOSE_GOING_AWAY } from "../link.ts";
import type { Wire } from "./wire.fixture.ts";
import { connect, type Session, turn, World } from "./world.fixture.ts";

export function describeEnds(wire: Wire): void {
  let world: World;
  afterEach(() => world.stop());

  /** A push of exactly so many code units. */
  function pushOf(size: number, letter = "x"): string {
    const [head, tail] = ['["push",["pipeline",1,["take"],["', '"]]]'] as const;
    return `${head}${letter.repeat(size - head.length - tail.length)}${tail}`;
  }

  async function sessionOver(index: number): Promise<{ readonly code: number; readonly reason: string }> {
    while (world.sessions.length <= index) await turn();
    return (world.sessions[index] as Session).over.promise;
  }

  describe("what is carried", () => {
    test("a frame of just the size that is taken arrives, whatever its letters, and one more ends the session", async () => {
      world = await World.over(wire, { frameBytes: 300_000 });
      const neighbour = await world.client();
      const peer = await (await world.peer()).send(connect, pushOf(300_000), pushOf(300_000, "語"), '["pull",3]');
      expect(await peer.heard((frame) => frame[1] === 3)).toEqual(["resolve", 3, 0]);
      await peer.send(pushOf(300_001));
      expect((await peer.closed).reason).toBe("SESSION_BUDGET");
      expect(peer.abort[1][4]).toMatchObject({ code: "SESSION_BUDGET", details: { limit: "frameBytes" } });
      expect(await neighbour.show({ id: 1 })).toEqual({ shown: 1 });
    });

    test("replies of megabytes arrive whole, and small ones behind them after them", async () => {
      world = await World.over(wire);
      const scope = await world.client();
      const [large, small] = await Promise.all([scope.text(3_000_000), scope.show({ id: 1 })]);
      expect([large.length, small]).toEqual([3_000_000, { shown: 1 }]);
    });

    test("a caller's callback is called, and calls back while it is", async () => {
      world = await World.over(wire);
      const scope = await world.client();
      const asked: number[] = [];
      const double = async (n: number): Promise<number> => {
        asked.push(n);
        return n < 4 ? await scope.call(double, n * 2) : n;
      };
      expect(await scope.call(double, 1)).toBe(4);
      expect(asked).toEqual([1, 2, 4]);
    });

    test("a thousand calls in one turn are a thousand answers, each to its own", async () => {
      world = await World.over(wire);
      const main: any = world.listening.main();
      const scope = main.connect("good");
      const shown = await Promise.all(Array.from({ length: 1_000 }, (_, id) => scope.show({ id })));
      expect(shown.map((one: any) => one.shown)).toEqual(Array.from({ length: 1_000 }, (_, id) => id));
    });

    test("fifty connections at once are fifty sessions", async () => {
      world = await World.over(wire);
      const mains = Array.from({ length: 50 }, () => world.listening.main());
      const shown = await Promise.all(mains.map((main, id) => main.connect("good").show({ id })));
      expect(shown.map((one: any) => one.shown)).toEqual(Array.from({ length: 50 }, (_, id) => id));
      expect(world.sessions.length).toBe(50);
    });
  });

  describe("how it ends", () => {
    test.each(wire.garbage)("%s ends that session, and no other", async (_, send) => {
      world = await World.over(wire);
      const neighbour = await world.client();
      const peer = await (await world.peer()).send(connect);
      await send(peer);
      expect((await peer.closed).reason).toBe("FRAME_INVALID");
      expect(peer.abort[1][4]).toMatchObject({ code: "FRAME_INVALID" });
      expect(await neighbour.show({ id: 1 })).toEqual({ shown: 1 });
    });

    test.each(["leave", "vanish"] as const)("of a peer that does %s, nothing is left", async (how) => {
      world = await World.over(wire);
      const peer = await (await world.peer()).send(connect, '["push",["pipeline",1,["hang"],[]]]', '["pull",2]');
      await peer.roundTrip();
      peer[how]();
      await sessionOver(0);
      await world.disposed.promise;
      expect(world.sessions[0]?.link.unsent).toBe(0);
    });

    test("a client that closes leaves no session behind, and calls that were under way say that it did", async () => {
      world = await World.over(wire);
      const main: any = world.listening.main();
      const scope = await main.connect("good");
      const hanging = scope.hang().then(
        () => "answered",
        () => "broken",
      );
      main[Symbol.dispose]();
      scope[Symbol.dispose]();
      expect(await hanging).toBe("broken");
      await sessionOver(0);
    });

    test("a node that stops says so, once what it had answered has left", async () => {
      world = await World.over(wire);
      const main: any = world.listening.main();
      const scope = await main.connect("good");
      const broken = new Promise<unknown>((resolve) => main.onRpcBroken(resolve));
      const text = scope.text(3_000_000).then((value: string) => value.length);
      while ((world.sessions[0]?.link.unsent ?? 0) === 0 && world.calls < 1) await turn();
      await turn();
      await turn();
      await world.listening.drain();
      expect(await text).toBe(3_000_000);
      expect(String(await broken)).toContain(wire.name === "iroh" ? "STOPPING" : "");
      expect((await sessionOver(0)).code).toBe(CLOSE_GOING_AWAY);
    });

    test("nothing that is held for the log is told a peer whose session has ended", async () => {
      world = await World.over(wire);
      const peer = await (await world.peer()).send(connect, '["push",["pipeline",1,["decide"],[]]]', '["pull",2]');
      while (world.log.tip === 0) await turn();
      await peer.send("{}");
      await peer.closed;
      world.log.commit();
      expect(peer.frames.map(([type]) => type)).toEqual(["abort"]);
      expect(world.log.listeners.size).toBe(0);
    });
  });
}
