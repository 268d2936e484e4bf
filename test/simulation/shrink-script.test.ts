import { expect, test } from "bun:test";
import * as simulator from "@capstan/peer/simulator";
import { shrinkScript, sizeOf } from "./shrink-script.ts";
import type { Script, Simulator } from "./trial.ts";

const NOTHING = {
  tolerance: 0,
  defaultLocalPreference: 100,
  nodes: [],
  owners: [],
  sessions: [],
  policies: [],
  lies: [],
};

/** Fails where a link is cut silently between nodes of which one offers something. Nothing is simulated. */
const failing: Simulator = {
  ...simulator,
  simulate: (script) => {
    const offering = new Set(script.nodes.filter(({ routes }) => routes.length > 0).map(({ id }) => id));
    const cut = script.events.some((event) => event.type === "cut" && event.kind === "drop" && offering.has(event.a));
    const violations = cut ? [{ at: 0, node: "-", text: "cut" }] : [];
    const figures = {} as ReturnType<Simulator["simulate"]>["figures"];
    return { hash: "", world: { ...NOTHING, seed: 0 }, observed: [], violations, figures };
  },
};

test("a script is made short, and is a script still", () => {
  const script = [1, 2, 3, 4, 5, 6, 7, 8]
    .map((seed) => simulator.randomScript({ seed, nodes: 12 }))
    .find((one) => failing.simulate(one).violations.length > 0) as Script;
  const { script: short, runs } = shrinkScript(failing, script, "witness", { runs: 500, time: 60_000 });
  const [event] = short.events;
  if (event?.type !== "cut") throw new Error("the cut is gone");
  // The cut, its two nodes, their link, and the one route that matters.
  expect(sizeOf(short)).toBe(5);
  expect(short.nodes.map(({ id }) => id).sort()).toEqual([event.a, event.b].sort());
  expect(runs).toBeLessThan(200);
  // And it plays.
  expect(simulator.simulate(short).violations).toEqual([]);
});
