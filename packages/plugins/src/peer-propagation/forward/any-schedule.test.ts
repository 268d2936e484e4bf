// A request over two ways, and whatever may happen to it: sessions that end before or after they were asked, neighbours that do not know,
// did nothing, refuse or have given it up, a disk that fails, a node that dies at any append; then all is well again. What is not idempotent is done once
// at most, what was told stays true, and in the end it is known.

import { expect, test } from "bun:test";
import { forwardedBy, type Log, memoryLog } from "@capstan/orchestrator";
import { altered, reopened } from "../../dead-letter/dead-letter.fixture.ts";
import { startWithWays } from "../../executor/elsewhere/elsewhere.fixture.ts";
import { protocol } from "../../hub.fixture.ts";
import { forwarder } from "./forward.ts";
import type { Neighbour } from "./neighbour.ts";

const SCHEDULES = 40;

type Chance = (below: number) => number;

/** Numerical Recipes' generator: a schedule is its seed. */
function chanceOf(seed: number): Chance {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function farEnd() {
  const runs: unknown[] = [];
  const greet = protocol("greet", async ({ input }) => {
    runs.push(input);
    await turn();
    return runs.length;
  });
  const far = await startWithWays({ id: "n-o", protocols: [greet] });
  await far.app.action.register({ name: "greet", protocol: "greet" });
  const grants = new Map<string, { principal: string; grant: string }>();
  for (const by of ["b", "c"]) grants.set(by, await far.app.grant.create({ principal: `by-${by}`, allow: ["*"] }));
  /** Those that handed it on. */
  const handed = new Set<string>();
  const ask = (by: string, ...[message, options]: Parameters<Neighbour["call"]>): Promise<unknown> => {
    handed.add(by);
    const as = grants.get(by) as { principal: string; grant: string };
    return far.runtime.apply(message, as, options, forwardedBy(`n-${by}`, far.runtime.node.id, options));
  };
  return { ...far, runs, handed, ask };
}

/** A disk that fails, or whose node dies: from then on nothing is kept. */
class Disk {
  full = false;
  dead = false;
  readonly log: Log;

  constructor(stored: Log, chance: Chance, calm: boolean) {
    const check = (): void => {
      if (this.full) throw new Error("ENOSPC");
    };
    this.log = altered(stored, {
      append: (expectedHead, entries) => {
        check();
        if (!calm && chance(12) === 0) this.dead = true;
        return this.dead ? new Promise(() => {}) : stored.append(expectedHead, entries);
      },
      probe: check,
    });
  }
}

interface Came {
  readonly output?: unknown;
  readonly code?: string;
}

/** What the call comes to; `undefined` where the node dies first. */
async function came(call: Promise<unknown>, disk: Disk, pass: () => void): Promise<Came | undefined> {
  let told: Came | undefined;
  call.then(
    (answer) => {
      told = answer as Came;
    },
    (thrown: Came) => {
      told = { code: thrown.code ?? String(thrown) };
    },
  );
  for (let turns = 1; turns < 200 && told === undefined && !disk.dead; turns++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (turns % 8 === 0) disk.full = false;
    pass();
  }
  disk.full = false;
  return told;
}

async function life(stored: Log, far: Awaited<ReturnType<typeof farEnd>>, chance: Chance, calm: boolean) {
  // A node starts on a disk that works.
  let begun = false;
  const disk = new Disk(stored, (below) => (begun ? chance(below) : 1), calm);
  const fails = (code: string, details?: object) => Promise.reject(Object.assign(new Error(code), { code, details }));
  const neighbours = new Map<string, Neighbour>();
  for (const name of ["b", "c"]) {
    const one = { name, ended: false, call: (...asked: Parameters<Neighbour["call"]>) => during(asked) };
    const end = (): Promise<never> => {
      one.ended = true;
      return Promise.reject(new Error("connection lost"));
    };
    const during = async (asked: Parameters<Neighbour["call"]>): Promise<unknown> => {
      const happens = calm ? 0 : chance(10);
      if (happens <= 1) return far.ask(name, ...asked);
      if (happens <= 4) await far.ask(name, ...asked);
      if (happens === 3 || happens === 7) disk.full = true;
      if (happens <= 3 || happens === 7) return end();
      if (happens <= 5) return fails("EXECUTION_AMBIGUOUS");
      if (happens === 9)
        return far.handed.has(name) ? fails("EXECUTION_ABANDONED", { final: true }) : fails("EXECUTION_AMBIGUOUS");
      // Who never handed it on can be sure of it.
      const isFinal = !far.handed.has(name) && chance(2) === 0;
      return fails(happens === 6 ? "ACTION_UNREACHABLE" : "ROUTE_NOT_EXPORTED", isFinal ? { final: true } : undefined);
    };
    neighbours.set(name, one);
  }
  const carrier = forwarder({
    now: () => 0,
    pathsOf: () => ["b", "c"].map((peer) => ({ peer, origin: "n-o" })),
    neighbour: (node) => neighbours.get(node),
  });
  const node = await startWithWays({ carrier, log: disk.log });
  await node.learn("greet", { node: "b", origin: "n-o" });
  begun = true;
  const revive = (): void => {
    for (const one of neighbours.values()) (one as { ended: boolean }).ended = false;
  };
  const open = async (): Promise<string | undefined> => {
    const { items } = (await node.app.execution.list({ state: "ambiguous" })) as { items: { id: string }[] };
    expect(items.length).toBeLessThan(2);
    return items[0]?.id;
  };
  return {
    ...node,
    disk,
    revive,
    open,
    came: (call: Promise<unknown>) => came(call, disk, () => node.clock.advance(600)),
  };
}

async function run(seed: number): Promise<string> {
  const chance = chanceOf(seed);
  const far = await farEnd();
  let stored = memoryLog();
  const told: Came[] = [];
  const hear = (one: Came | undefined): void => {
    if (one !== undefined && one.code !== "EXECUTION_AMBIGUOUS") told.push(one);
  };
  for (let lives = 0; lives < 5; lives++) {
    const isLast = lives === 4;
    const node = await life(stored, far, chance, isLast);
    if (lives === 0) hear(await node.came(node.app.action.perform({ name: "greet", input: 7 }, { key: "k" })));
    for (let tries = 0; tries < 3 && !node.disk.dead; tries++) {
      node.revive();
      const id = await node.open();
      if (id !== undefined) hear(await node.came(node.app.execution.retry({ id })));
    }
    // Whoever performed it asks by his key as long as he has no answer: the same, or it was never accepted.
    if (isLast && told.length === 0)
      hear(await node.came(node.app.action.perform({ name: "greet", input: 7 }, { key: "k" })));
    if (isLast) expect(await node.open()).toBeUndefined();
    stored = reopened(stored);
  }
  const [last] = told;
  expect(far.runs.length).toBeLessThan(2);
  expect(told).toHaveLength(1);
  // Done, and told so; or not done, and told why.
  expect([last?.output, far.runs.length]).toEqual(last?.code === undefined ? [1, 1] : [undefined, 0]);
  return last?.code ?? "done";
}

test(`${SCHEDULES} schedules`, async () => {
  const ends = new Map<string, number>();
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    const end = await run(seed).catch((thrown: Error) => {
      throw new Error(`schedule ${seed}: ${thrown.message}`);
    });
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  // Not all of one kind.
  expect(ends.get("done")).toBeGreaterThan(SCHEDULES / 3);
  expect(ends.size).toBeGreaterThan(1);
});
