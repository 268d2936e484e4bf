// The short form of `npm run simulate`: a few seeds, and controls, which show that the checks can fail.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import * as simulator from "@capstan/peer/simulator";
import { huntOne } from "./hunt.ts";
import { MUTANTS } from "./mutants.ts";
import { lineOf } from "./oracle/violation.ts";
import { judge } from "./oracle.ts";
import { runTrial } from "./trial.ts";

setDefaultTimeout(60_000);

const MAIN = join(import.meta.dir, "main.ts");
const SEEDS = [1, 2];

describe("nodes under churn, partition, loss and lies", () => {
  for (const [nodes, seeds] of [
    [20, SEEDS],
    [50, [1]],
  ] as const) {
    test(`${nodes} of them believe what the oracle says, over ${seeds.length} seeds`, () => {
      for (const seed of seeds) {
        const { violations, judgement } = runTrial(simulator, simulator.randomScript({ seed, nodes }));
        expect(violations.map((violation) => `seed ${seed}: ${lineOf(violation)}`)).toEqual([]);
        expect(judgement.compared.best).toBeGreaterThan(nodes);
      }
    });
  }

  test("do the same again by the same seed, and something else by another", () => {
    const hashes = [1, 1, 2].map((seed) => runTrial(simulator, simulator.randomScript({ seed, nodes: 8 })).hash);
    expect(hashes[0]).toBe(hashes[1] as string);
    expect(hashes[2]).not.toBe(hashes[1] as string);
  });

  test("are caught where one believes something else", () => {
    const script = simulator.randomScript({ seed: 1, nodes: 8 });
    const { world, observed } = simulator.simulate(script);
    const given = { ...world, maxLifetime: script.timing.maxLifetime };
    expect(judge(given, observed).violations).toEqual([]);
    const [first, ...others] = observed;
    if (first === undefined) throw new Error("nobody is up");
    const [best, ...rest] = first.best;
    if (best === undefined) throw new Error("nothing is known");
    const wrong = [{ ...first, best: [{ ...best, digest: "another" }, ...rest] }, ...others];
    expect(judge(given, wrong).violations.map(({ kind, node }) => [kind, node])).toEqual([["loc-rib", first.node]]);
  });
});

describe("npm run simulate", () => {
  const simulate = (...args: string[]) => spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8" });

  test("runs one seed, and prints its trace and the trace's hash", () => {
    const { hash } = runTrial(simulator, simulator.randomScript({ seed: 3, nodes: 5 }));
    const { status, stdout } = simulate("--seed", "3", "--nodes", "5", "--trace");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\d+ n\d start epoch 1$/m);
    expect(stdout).toEndWith(`trace ${hash}\n`);
  });

  test("ends with 64 when it is asked in the wrong way", () => {
    for (const args of [["--seeds", "none"], ["--trace"], ["--sede", "1"]]) {
      const { status, stderr } = simulate(...args);
      expect([args, status]).toEqual([args, 64]);
      expect(stderr).toContain("usage: npm run simulate -- --seeds N");
    }
  });
});

describe("a fault in the protocol is caught", () => {
  const quickest = ["anybody-withdraws", "no-alternatives", "swept-although-announced"];
  for (const mutant of MUTANTS.filter(({ name }) => quickest.includes(name))) {
    test(mutant.breaks, async () => {
      const { by } = await huntOne(mutant, { processes: 1, nodes: 10, seeds: 10, patience: 30 });
      expect(by).toBeDefined();
    });
  }

  test("and none where there is none", async () => {
    expect((await huntOne(undefined, { processes: 1, nodes: 10, seeds: 2, patience: 30 })).by).toBeUndefined();
  });
});
