import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mutated, PEER } from "./mutant-tree.ts";
import { MUTANTS } from "./mutants.ts";

describe("faults put into the protocol", () => {
  test("each stands where it is to be put, exactly once", () => {
    const lost = MUTANTS.flatMap((mutant) => {
      try {
        return mutated(readFileSync(join(PEER, mutant.file), "utf8"), mutant) === "" ? [mutant.name] : [];
      } catch (thrown) {
        return [(thrown as Error).message];
      }
    });
    expect(lost).toEqual([]);
  });

  test("docs/peering-simulation.md has them all, with the seed that finds each", () => {
    const page = readFileSync(join(import.meta.dir, "..", "..", "docs", "peering-simulation.md"), "utf8");
    const lines = page.split("\n").filter((line) => /^\| [^|]+ \| [^|]+ \| \d+ \| [^|]+ \|$/.test(line));
    const told = lines.map((line) => line.split(" | ").slice(0, 2).join(" | "));
    expect(told.sort()).toEqual(MUTANTS.map(({ name, breaks }) => `| ${name} | ${breaks}`).sort());
    expect(page).toContain(`has ${MUTANTS.length} faults`);
  });

  test("there are ten and more, each with a name of its own", () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(10);
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });
});
