import { describe, expect, test } from "bun:test";
import { growthScript } from "./growth.ts";
import { randomScript } from "./scenario/random-script.ts";
import type { ScriptEvent } from "./scenario/script.ts";
import { type Run, simulate } from "./simulate.ts";
import { Simulation } from "./simulation.ts";
import { type SmallScript, smallScript } from "./small-script.fixture.ts";

const LINE: SmallScript = { links: ["a-b", "b-c"], routes: { a: ["action:a.x"], c: ["action:c.x"] } };
const run = (events: readonly ScriptEvent[], more: Partial<SmallScript> = {}): Run =>
  simulate(smallScript({ ...LINE, events, ...more }));
const bests = ({ observed }: Run, node: string): string[] =>
  observed.find((one) => one.node === node)?.best.map(({ name, peer }) => `${name} ${peer}`) ?? [];
const ALL = { a: ["action:a.x self", "action:c.x b"], c: ["action:a.x b", "action:c.x self"] };
const expectAll = (result: Run): void => {
  expect(result.violations).toEqual([]);
  expect({ a: bests(result, "a"), c: bests(result, "c") }).toEqual(ALL);
};

describe("a run", () => {
  test("is the same for the same seed, and another for another", () => {
    const [one, again, other] = [3, 3, 4].map((seed) => simulate(randomScript({ seed, nodes: 5 })).hash);
    expect(again).toBe(one as string);
    expect(other).not.toBe(one as string);
  });

  test("is the same when another one runs between its steps", () => {
    const [left, right] = [5, 6].map((seed) => randomScript({ seed, nodes: 5 })) as never as [never, never];
    const alone = new Simulation(left, undefined);
    alone.clock.runUntil(60_000);
    const between = new Simulation(left, undefined);
    const other = new Simulation(right, undefined);
    for (let at = 0; at <= 60_000; at += 500) {
      between.clock.runUntil(at);
      other.clock.runUntil(at);
    }
    expect(between.trace.digest()).toBe(alone.trace.digest());
  });

  test("is the same from a script that was written down and read again", () => {
    const script = randomScript({ seed: 8, nodes: 5 });
    expect(simulate(JSON.parse(JSON.stringify(script))).hash).toBe(simulate(script).hash);
  });

  test("goes on where events are taken out of its script", () => {
    const script = randomScript({ seed: 9, nodes: 5 });
    for (const part of [0, 1, 2]) {
      const events = script.events.filter((_, at) => at % 3 === part);
      expect(simulate({ ...script, events }).violations).toEqual([]);
    }
  });

  test("tells each line of its trace", () => {
    const lines: string[] = [];
    const result = simulate(smallScript(LINE), { onLine: (line) => lines.push(line) });
    expect(lines).toHaveLength(result.figures.traceLines);
    expect(lines[0]).toBe("0 a start epoch 1");
  });
});

describe("what nodes live with", () => {
  test("nothing at all", () => {
    expectAll(run([]));
  });

  test("loss, doubling and reordering of frames: sessions end, and come back with all routes", () => {
    const noises = [
      [0.3, 0, 0],
      [0, 0.3, 0],
      [0, 0, 0.3],
      [0.1, 0.1, 0.1],
    ] as const;
    for (const [loss, reorder, duplicate] of noises) {
      const links = [["a", "b"]] as const;
      // Frames have to be close to each other to overtake.
      const route = ["action:a.flap", ""] as const;
      const flap: ScriptEvent = { at: 5000, type: "flap", node: "a", route, period: 40, until: 6000 };
      const noise: ScriptEvent = { at: 5000, type: "noise", links, loss, reorder, duplicate, until: 15_000 };
      const result = run(
        [noise, flap, { at: 16_000, type: "originate", node: "a", announce: [], withdraw: [route[0]] }],
        {
          timing: { advertisementInterval: 0 },
        },
      );
      expect(Object.keys(result.figures.complaints)).toContain("complained message-header-error/not-synchronized");
      expectAll(result);
    }
  });

  test("a cut that nobody is told of: the hold timer finds it", () => {
    const cut: ScriptEvent = { at: 10_000, type: "cut", a: "a", b: "b", kind: "drop" };
    const result = run([cut], { timing: { restartTime: 0 } });
    expect(result.figures.complaints).toMatchObject({ "complained hold-timer-expired/unspecified": 2 });
    expect(bests(result, "c")).toEqual(["action:c.x self"]);
    expect(result.world.sessions).toEqual([["b", "c"]]);
    expectAll(run([{ ...cut, until: 30_000 }]));
  });

  test("a planned restart: nobody withdraws anything (RFC 4724)", () => {
    const result = run([{ at: 10_000, type: "planned-restart", node: "a", until: 15_000 }]);
    expectAll(result);
    expect(result.figures.routesWithdrawn).toBe(0);
    expect(result.world.nodes.find(({ id }) => id === "a")?.epoch).toBe(2);
  });

  test("a crash that is over within the restart time, after it, or never", () => {
    const crash = (dark: boolean, until?: number): ScriptEvent[] => [
      { at: 10_000, type: "crash", node: "a", dark, ...(until === undefined ? {} : { until }) },
    ];
    for (const dark of [true, false]) {
      const within = run(crash(dark, 15_000));
      expectAll(within);
      expect(within.figures.routesWithdrawn).toBe(0);
      const after = run(crash(dark, 70_000), { quietAt: 70_000 });
      expectAll(after);
      expect(after.figures.routesWithdrawn).toBeGreaterThan(0);
      expect(bests(run(crash(dark)), "c")).toEqual(["action:c.x self"]);
    }
  });

  test("a partition that heals", () => {
    for (const kind of ["drop", "reset"] as const) {
      expectAll(run([{ at: 10_000, type: "partition", nodes: ["c"], kind, until: 25_000 }]));
    }
  });

  test("another key of an identity, and another secret of a pair", () => {
    expectAll(run([{ at: 10_000, type: "rotate-key", node: "a", useAt: 15_000, until: 28_000 }]));
    const rotated = run([{ at: 10_000, type: "rotate-secret", a: "a", b: "b", until: 28_000 }]);
    expectAll(rotated);
    // A secret on its way out goes on to carry the session.
    expect(rotated.figures.established).toBe(4);
  });

  test("limits that end a session, truncate a table, or stop a peer, once there is room again", () => {
    for (const then of ["warn", "drop", "restart", "disable"] as const) {
      const limit = { routes: 0, warnAt: 0.75, then, restartAfter: 2000 };
      expectAll(run([{ at: 10_000, type: "limit", node: "b", peer: "a", limit, until: 28_000 }]));
    }
  });

  test("a filter that comes and goes, without a new session (RFC 2918's soft reset)", () => {
    const clause = { name: "no", then: "reject" } as const;
    for (const direction of ["import", "export"] as const) {
      const filter: ScriptEvent = { at: 10_000, type: "filter", node: "b", peer: "c", direction, clause };
      const filtered = run([filter]);
      expect(filtered.figures.established).toBe(4);
      expect(bests(filtered, direction === "import" ? "a" : "c")).toHaveLength(1);
      expectAll(run([{ ...filter, until: 28_000 }]));
    }
  });

  test("a peer that is stopped or removed, and comes back", () => {
    for (const type of ["stop-peer", "remove-peer"] as const) {
      const event = { at: 10_000, type, node: "b", peer: "a" } as const;
      const gone = run([event]);
      expect(bests(gone, "c")).toEqual(["action:c.x self"]);
      expect(gone.world.sessions).toEqual([["b", "c"]]);
      expectAll(run([{ ...event, until: 28_000 }]));
    }
  });

  test("clocks that are wrong by less than the tolerance", () => {
    const skew = (node: string, seconds: number): ScriptEvent => ({ at: 10_000, type: "skew", node, seconds });
    expectAll(run([skew("a", 10), skew("c", -10)], { timing: { lifetime: 60, maxLifetime: 60 } }));
  });
});

describe("growth", () => {
  test("of a ring takes a round for each hop to the farthest node, and one more is never", () => {
    const { figures, violations } = simulate(growthScript({ shape: "ring", nodes: 8, seed: 1 }));
    expect(violations).toEqual([]);
    expect(figures.quietAfterMs).toBe(400);
  });

  test("of a mesh is one announcement for each pair, and of a hub two", () => {
    const mesh = simulate(growthScript({ shape: "mesh", nodes: 6, seed: 1 }));
    expect(mesh.figures.routesAnnounced).toBe(30);
    const hub = simulate(growthScript({ shape: "hub", nodes: 6, seed: 1 }));
    // The hub's own to all, each spoke's to the hub, and each of those to the other spokes.
    expect(hub.figures.routesAnnounced).toBe(5 + 5 + 5 * 4);
  });
});
