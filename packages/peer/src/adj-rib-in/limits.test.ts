import { describe, expect, test } from "bun:test";
import { defaultLimits } from "../limits/default-limits.ts";
import type { RouteLimit } from "../limits/route-limit.ts";
import { announce, Bench, digestOf, limits, peer, policy } from "../rib/rib.fixture.ts";

const routes = (count: number, from = 0): string[] => Array.from({ length: count }, (_, at) => `action:r${from + at}`);
const limit = (then: RouteLimit["then"]): RouteLimit => ({ routes: 10, warnAt: 0.5, then, restartAfter: 1000 });
const open = (then: RouteLimit["then"]): Bench =>
  new Bench().open(peer("n-1", { limits: limits({ routes: limit(then) }) }));

describe("RFC 4486 §4: the limit of routes", () => {
  test("a warning once on the way up, and again after it was far from it", () => {
    const bench = open("restart");
    expect(bench.receive("n-1", announce("n-1", routes(4))).limit).toBeUndefined();
    expect(bench.receive("n-1", announce("n-1", routes(1, 4))).limit).toBe("warn");
    expect(bench.receive("n-1", announce("n-1", routes(5, 5))).limit).toBeUndefined();
    bench.receive("n-1", [], routes(8));
    expect(bench.receive("n-1", announce("n-1", routes(4))).limit).toBe("warn");
  });

  test("warn: takes them all, and says so a second time", () => {
    const bench = open("warn");
    bench.receive("n-1", announce("n-1", routes(9)));
    expect(bench.receive("n-1", announce("n-1", routes(5, 9)))).toMatchObject({ limit: "warn", accepted: 5 });
    expect([...bench.rib.received("n-1")]).toHaveLength(14);
  });

  for (const then of ["restart", "disable"] as const) {
    test(`${then}: nothing more is taken of what passes it`, () => {
      const bench = open(then);
      expect(bench.receive("n-1", announce("n-1", routes(30), { chunkSize: 4 })).limit).toBe(then);
      expect([...bench.rib.received("n-1")]).toHaveLength(10);
    });
  }

  test("drop: keeps what is there, takes no other names, and still takes changes and withdrawals", () => {
    const bench = open("drop");
    bench.receive("n-1", announce("n-1", routes(10)));
    expect(bench.receive("n-1", announce("n-1", routes(3, 10)))).toMatchObject({
      limit: "drop",
      refused: 3,
      accepted: 0,
    });
    expect(bench.receive("n-1", announce("n-1", [["action:r0", digestOf("new")]]))).toMatchObject({
      accepted: 1,
      refused: 0,
    });
    expect(bench.rib.best("action:r0")?.digest).toBe(digestOf("new"));
    expect([...bench.rib.received("n-1")]).toHaveLength(10);
  });

  test("drop: when there is room again, the peer is asked for its table, once", () => {
    const bench = open("drop");
    bench.receive("n-1", announce("n-1", routes(12)));
    expect(bench.rib.wantsRefresh("n-1")).toBe(false);
    bench.receive("n-1", [], routes(5));
    expect(bench.rib.wantsRefresh("n-1")).toBe(false);
    bench.receive("n-1", [], ["action:r5"]);
    expect(bench.rib.wantsRefresh("n-1")).toBe(true);
    expect(bench.rib.wantsRefresh("n-1")).toBe(false);
  });

  test("drop: a limit that is raised is room too", () => {
    const bench = open("drop");
    bench.receive("n-1", announce("n-1", routes(12)));
    const raised = peer("n-1", { limits: limits({ routes: { ...limit("drop"), routes: 100 } }) });
    bench.rib.reconfigure({ peers: [raised] }, bench.at);
    expect(bench.rib.wantsRefresh("n-1")).toBe(true);
    expect(bench.receive("n-1", announce("n-1", routes(12)))).toMatchObject({ accepted: 12, refused: 0 });
  });

  test("a limit that is lowered ends nothing by itself: what is there may change, and nothing more is taken", () => {
    const bench = open("restart");
    bench.receive("n-1", announce("n-1", routes(9)));
    const lower = peer("n-1", { limits: limits({ routes: { ...limit("restart"), routes: 5 } }) });
    bench.rib.reconfigure({ peers: [lower] }, bench.at);
    const changed = announce("n-1", [["action:r0", digestOf("new")]]);
    expect(bench.receive("n-1", changed)).toMatchObject({ accepted: 1, limit: undefined });
    expect(bench.receive("n-1", announce("n-1", routes(1, 9))).limit).toBe("restart");
  });

  test("drop: what was dropped in one session is not asked for in the next, which begins with the whole table", () => {
    const bench = open("drop");
    bench.receive("n-1", announce("n-1", routes(12)));
    bench.rib.closePeer("n-1", 10_000, bench.at);
    bench.open(peer("n-1", { limits: limits({ routes: limit("drop") }) }));
    bench.rib.endOfTable("n-1", bench.at);
    expect(bench.rib.wantsRefresh("n-1")).toBe(false);
  });

  test("filtered routes count: it is memory that is bounded", () => {
    const refusing = peer("n-1", { import: policy(), limits: limits({ routes: limit("restart") }) });
    expect(new Bench().open(refusing).receive("n-1", announce("n-1", routes(11))).limit).toBe("restart");
  });

  test("a million announcements of the same names are no more than those names", () => {
    const bench = open("restart");
    for (let round = 0; round < 1000; round += 1) {
      const again = routes(10).map((name): [string, string] => [name, digestOf(String(round % 3))]);
      expect(bench.receive("n-1", announce("n-1", again)).limit).not.toBe("restart");
    }
    expect([...bench.rib.received("n-1")]).toHaveLength(10);
  });
});

describe("RFC 2439: damping", () => {
  const A = "action:a";
  const flaky = peer("n-1", { limits: limits({ damping: defaultLimits.damping }) });
  const flap = (bench: Bench): void => {
    bench.receive("n-1", announce("n-1", [A]));
    bench.receive("n-1", [], [A]);
  };
  const damped = (): Bench => {
    const bench = new Bench().open(flaky);
    for (let round = 0; round < 10; round += 1) flap(bench);
    bench.receive("n-1", announce("n-1", [A]));
    return bench;
  };

  test("a route that comes and goes is kept and left out, and others are not", () => {
    const bench = damped();
    bench.receive("n-1", announce("n-1", ["action:quiet"]));
    expect(bench.why(A, "n-1")).toBe("damped");
    expect(bench.rib.best(A)).toBeUndefined();
    expect(bench.bestFrom("action:quiet")).toBe("n-1");
  });

  test("it comes back by itself when the penalty has decayed", () => {
    const bench = damped();
    const due = bench.rib.deadline()!;
    expect(due).toBeGreaterThan(bench.now);
    bench.advanceTo(due - 1);
    expect(bench.why(A, "n-1")).toBe("damped");
    bench.advanceTo(due);
    expect(bench.bestFrom(A)).toBe("n-1");
  });

  test("the same name from another peer is not damped: the penalty is that peer's", () => {
    const bench = damped().open(peer("n-2", { limits: limits({ damping: defaultLimits.damping }) }));
    bench.receive("n-2", announce("n-2", [A]));
    expect(bench.bestFrom(A)).toBe("n-2");
  });

  test("a path that changes again and again is damped too", () => {
    const bench = new Bench().open(flaky);
    for (let round = 0; round < 20; round += 1) {
      bench.receive("n-1", announce("n-o", [A], { path: ["d-n-1", `d-${round % 2}`, "d-n-o"] }));
    }
    expect(bench.why(A, "n-1")).toBe("damped");
  });

  test("to be signed anew is no flap", () => {
    const bench = new Bench().open(flaky);
    for (let round = 0; round < 50; round += 1)
      bench.receive("n-1", announce("n-1", [A], { expires: 1_700_000_100 + round }));
    expect(bench.why(A, "n-1")).toBe("");
  });

  test("a new session does not wash it off; and to lose one is no flap, otherwise than RFC 2439 §4.8.5 has it", () => {
    const bench = damped();
    bench.rib.closePeer("n-1", undefined, bench.at);
    bench.open(flaky);
    bench.receive("n-1", announce("n-1", [A, "action:b"]));
    expect(bench.why(A, "n-1")).toBe("damped");
    for (let round = 0; round < 10; round += 1) {
      bench.rib.closePeer("n-1", undefined, bench.at);
      bench.open(flaky);
      bench.receive("n-1", announce("n-1", ["action:b"]));
    }
    expect(bench.why("action:b", "n-1")).toBe("");
  });
});
