// THREATS: what one peer can cost, in memory and in time, whatever it sends. Each of these was possible once.

import { describe, expect, spyOn, test } from "bun:test";
import { defaultLimits } from "../limits/default-limits.ts";
import type { RouteLimit } from "../limits/route-limit.ts";
import { LocRib } from "../loc-rib/loc-rib.ts";
import { KnownPeer } from "../rib/known-peer.ts";
import {
  type Announcing,
  announce,
  at,
  Bench,
  config,
  digestOf,
  limits,
  peer,
  update,
  WALL,
} from "../rib/rib.fixture.ts";
import { Epochs } from "./epochs.ts";
import { Intake } from "./intake.ts";

const name = (index: number): string => `action:r${String(index).padStart(6, "0")}`;
const names = (count: number, from = 0): string[] => Array.from({ length: count }, (_, index) => name(from + index));
const limit = (routes: number, then: RouteLimit["then"]) =>
  limits({ routes: { routes, warnAt: 0.75, then, restartAfter: 1000 } });

const words = (count: number, of: string): string[] =>
  Array.from({ length: count }, (_, index) => `${of}-${index}-${"x".repeat(64)}`.slice(0, 64));
/** Some 6 kB for one route. */
const heavy = (index: number): Announcing => ({
  path: ["d-n-1", ...words(60, `d${index}`), "d-n-1"],
  domain: "d-n-1",
  tags: words(32, `t${index}`),
});
const heavyRoute = (index: number) => announce("n-1", [name(index)], heavy(index));

describe("memory: long paths, tags and names", () => {
  for (const then of ["restart", "disable"] as const) {
    test(`${then}: count as the routes that they cost as much as (it was 16 kB a route)`, () => {
      const bench = new Bench().open(peer("n-1", { limits: limit(100, then) }));
      let taken = 0;
      while (taken < 100 && bench.receive("n-1", heavyRoute(taken)).limit !== then) taken += 1;
      expect(taken).toBeGreaterThan(20);
      expect(taken).toBeLessThan(40);
    });
  }

  test("drop: a route that is replaced by what costs too much is refused and gone, and there is room when others go", () => {
    const bench = new Bench().open(peer("n-1", { limits: limit(20, "drop") }));
    bench.receive("n-1", announce("n-1", names(10)));
    for (let index = 0; index < 10; index += 1) bench.receive("n-1", heavyRoute(index));
    const left = [...bench.rib.received("n-1")].filter(({ received }) => received.tags.length > 0);
    expect(left.length).toBeGreaterThan(0);
    expect(left.length).toBeLessThan(8);
    expect(bench.bestFrom(name(9))).toBeUndefined();
    expect([...bench.rib.received("n-1")]).toHaveLength(left.length);
    bench.receive("n-1", [], names(10));
    expect(bench.rib.wantsRefresh("n-1")).toBe(true);
    expect(bench.receive("n-1", heavyRoute(9))).toMatchObject({ accepted: 1, refused: 0 });
  });

  test("count once for all routes that share them, and no more when those are gone", () => {
    const bench = new Bench().open(peer("n-1", { limits: limit(100, "restart") }));
    for (let round = 0; round < 50; round += 1) {
      expect(bench.receive("n-1", announce("n-1", names(100), heavy(round))).limit).not.toBe("restart");
      if (round % 2 === 0) expect(bench.receive("n-1", [], names(100)).withdrawn).toBe(100);
    }
  });

  test("a table that is told again as it is costs nothing, however near to the limit it is", () => {
    const bench = new Bench().open(peer("n-1", { limits: limit(30, "restart") }));
    const told = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((index) => announce("n-1", names(2, 10 * index), heavy(index)));
    for (let round = 0; round < 3; round += 1) {
      for (const one of told) expect(bench.receive("n-1", structuredClone(one))).toMatchObject({ accepted: 2 });
    }
    expect(bench.receive("n-1", announce("n-1", names(2, 100), heavy(100))).limit).toBe("restart");
  });

  test("a few may be long where few routes are allowed; and ordinary ones cost what they count", () => {
    const one = new Bench().open(peer("n-1", { limits: limit(1, "restart") }));
    expect(one.receive("n-1", heavyRoute(0))).toMatchObject({ accepted: 1 });
    const bench = new Bench().open(peer("n-1", { limits: limit(500, "restart") }));
    for (let index = 0; index < 500; index += 1) {
      const path = ["d-n-1", `d-somewhere-${index}`, "d-between", "d-far-away", "d-n-o"];
      const told = announce("n-o", [name(index)], { path, tags: ["customer", "europe", "gold"] });
      expect(bench.receive("n-1", told)).toMatchObject({ accepted: 1 });
    }
  });
});

describe("memory: what it has had, and has no more", () => {
  for (const then of ["restart", "disable", "drop"] as const) {
    test(`${then}: a peer that comes back with other names is not over its limit for those of before`, () => {
      const bench = new Bench().open(peer("n-1", { limits: limit(10, then) }));
      bench.receive("n-1", announce("n-1", names(8)));
      bench.rib.endOfTable("n-1", bench.at);
      bench.rib.closePeer("n-1", 10_000, bench.at);
      bench.open(peer("n-1", { limits: limit(10, then) }));
      const outcome = bench.receive("n-1", announce("n-1", [...names(2), ...names(6, 100)]));
      expect(outcome).toMatchObject({ accepted: 8, refused: 0 });
      expect(outcome.limit).not.toBe(then);
      bench.rib.endOfTable("n-1", bench.at);
      expect([...bench.rib.received("n-1")].map((path) => path.name)).toEqual([...names(2), ...names(6, 100)]);
      expect(bench.receive("n-1", announce("n-1", names(3, 200))).limit).toBe(then);
    });
  }

  test("what is replaced by what costs more may itself be of before, and go to make room", () => {
    const intake = new Intake(config(), new LocRib());
    const known = new KnownPeer(peer("n-1", { limits: limit(40, "restart") }), "home", intake.chunks);
    const receive = (routes: ReturnType<typeof announce>) => intake.receive(known, update(routes), at(0));
    receive(announce("n-1", [name(0)]));
    for (let index = 1; index < 14; index += 1) expect(receive(heavyRoute(index)).limit).not.toBe("restart");
    known.in.markStale();
    receive(heavyRoute(1));
    for (const index of [0, 20, 21, 22]) {
      expect(receive(announce("n-1", [name(index)], heavy(index + 100)))).toMatchObject({ accepted: 1 });
    }
    expect(known.in.stale).toBe(0);
    expect([...known.in.values()].map((path) => path.name)).toEqual([1, 0, 20, 21, 22].map(name));
    for (const path of known.in.values()) intake.remove(known, path);
    expect([known.in.load, known.in.size, intake.chunks.counts.chunks - intake.chunks.counts.idle]).toEqual([0, 0, 0]);
  });

  test("penalties of routes that are gone are no more than the peer may have routes", () => {
    const { damping } = defaultLimits;
    const few = new KnownPeer(
      peer("n-1", { limits: { ...limit(10, "restart"), damping } }),
      "home",
      new Intake(config(), new LocRib()).chunks,
    );
    for (let index = 0; index < 5000; index += 1) few.damping?.onWithdraw(name(index), 0);
    expect(few.damping?.size).toBeLessThanOrEqual(1000);
    few.configure(peer("n-1", { limits: { ...limit(3000, "restart"), damping } }));
    for (let index = 0; index < 5000; index += 1) few.damping?.onWithdraw(name(index), 0);
    expect(few.damping?.size).toBeGreaterThan(2000);
    expect(few.damping?.size).toBeLessThanOrEqual(3000);
  });

  test("an origin whose epoch rises with every update is remembered second by second", () => {
    const epochs = new Epochs(120_000);
    for (let epoch = 1; epoch < 20_000; epoch += 1) epochs.record("n-o", "key", epoch, ["key"], epoch / 10);
    expect(epochs.rising("n-o", "key")).toBeLessThan(5);
    expect(epochs.floor("n-o", ["key"], 125_000)).toBe(19_999);
  });
});

test("an update of thousands of malformed announcements is told in a few texts, and of all its routes", () => {
  const bench = new Bench().open(peer("n-1"));
  const bad = names(3000).flatMap((one) => announce("n-1", [one], { path: ["d-x", "d-n-1"] }));
  const broken = names(500, 5000).map((one) => ({ routes: [one], text: "malformed" }));
  const { malformed } = bench.rib.receive("n-1", { ...update(bad), malformed: broken }, bench.at);
  expect(malformed.length).toBeLessThan(20);
  expect(malformed.reduce((sum, { routes }) => sum + routes, 0)).toBe(3500);
});

describe("time: what is looked through when something is due", () => {
  const setting = () => {
    const intake = new Intake(config(), new LocRib());
    const [liar, other] = ["n-1", "n-2"].map((node) => new KnownPeer(peer(node), "home", intake.chunks)) as [
      KnownPeer,
      KnownPeer,
    ];
    intake.receive(other, update(announce("n-2", names(10))), at(0));
    const looks = spyOn(other.in, "values");
    return { intake, liar, other, looks };
  };

  test("a peer's signatures that expire second by second: its own paths", () => {
    const { intake, liar, other, looks } = setting();
    for (let second = 1; second < 20; second += 1) {
      intake.receive(liar, update(announce("n-1", [name(second)], { expires: WALL + second })), at(0));
    }
    for (let second = 61; second < 80; second += 1) {
      expect(intake.deadline([liar, other], at(second * 1000 - 1))).toBe(second * 1000);
      intake.judgeVoidness([liar, other], at(second * 1000), false);
    }
    expect([...liar.in.values()].every(({ filtered }) => filtered?.why === "expired")).toBe(true);
    expect(looks).not.toHaveBeenCalled();
  });

  test("an origin that has started again, or a clock that was set: everybody's", () => {
    const { intake, liar, other, looks } = setting();
    for (const epoch of [1, 2]) intake.receive(liar, update(announce("n-1", [name(epoch)], { epoch })), at(0));
    intake.judgeVoidness([liar, other], at(60_000), false);
    expect(looks).not.toHaveBeenCalled();
    intake.judgeVoidness([liar, other], at(120_000), false);
    expect(looks).toHaveBeenCalledTimes(1);
    intake.judgeVoidness([liar, other], at(120_001), true);
    expect(looks).toHaveBeenCalledTimes(2);
  });
});

test("routes that flap are as many as before when each of them is signed anew as a chunk of its own", () => {
  const bench = new Bench().open(peer("n-1", { limits: limit(50, "restart") }));
  for (let round = 0; round < 20; round += 1) {
    for (const one of names(50)) {
      expect(bench.receive("n-1", announce("n-1", [[one, digestOf(String(round))]])).limit).not.toBe("restart");
    }
  }
  expect([...bench.rib.received("n-1")]).toHaveLength(50);
});
