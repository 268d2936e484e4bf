// The short forms of `npm run flips` and `npm run tampers`, and their controls, which show that a miss would be seen.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Control, runFlips } from "./flips.ts";
import { TAMPERS } from "./tamper-kinds.ts";
import { runTampers } from "./tampers.ts";

// A log of a hundred entries is made for each, every one with its flush.
setDefaultTimeout(60_000);

const FEW = { flips: 40, seed: 11, entries: 100 };

describe("a byte of the files changed", () => {
  test("is found where it matters, and nothing is served that was not logged", async () => {
    const flips = await runFlips(FEW);
    expect(flips.flatMap(({ violations }) => violations)).toEqual([]);
    expect(flips.filter(({ changed }) => changed).length).toBeGreaterThan(FEW.flips / 2);
    expect(new Set(flips.map(({ target }) => target))).toEqual(new Set(["main", "wal", "checkpoint"]));
  });

  for (const control of ["opening", "verification"] as const satisfies readonly Control[]) {
    test(`is seen to be missed without the checks of ${control}`, async () => {
      const flips = await runFlips({ ...FEW, flips: 12, control });
      expect(flips.some(({ violations }) => violations.length > 0)).toBe(true);
    });
  }
});

describe("a log tampered with by somebody without the key", () => {
  const each = Object.keys(TAMPERS).length;

  test("is found out by the checkpoint that was kept, in every way that is tried", async () => {
    const { tampered } = await runTampers({ tampers: each, seed: 5, entries: 300 });
    expect(tampered.filter(({ found }) => !found)).toEqual([]);
    expect(new Set(tampered.map(({ kind }) => kind))).toEqual(new Set(Object.keys(TAMPERS)));
  });

  test("is not found out by whoever kept nothing and has no key: what proves it is the checkpoint and the key", async () => {
    const { tampered } = await runTampers({ tampers: each, seed: 5, entries: 300, control: true });
    expect(tampered.find(({ kind }) => kind === "the log is rolled back")?.found).toBe(false);
  });
});
