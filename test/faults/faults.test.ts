// The short form of `npm run faults`: each kind of fault at least once, and a control, which shows that the checks can fail.
// The other, a disk that lies about its flushes: `npm run faults -- --control-lie`.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { KINDS } from "./kinds.ts";
import { whyNotMountable } from "./mountable.ts";
import { lostIn, runTrials } from "./trials.ts";

// How soon a node recovers is for `npm run faults`: beside other tests it does when it gets a processor.
const FEW = { clients: 16, seed: 3, mostRecoveryMs: 20_000 };

setDefaultTimeout(60_000);

const why = whyNotMountable();

if (why !== undefined) {
  test(`NOT SHOWN ON THIS MACHINE, a disk that fails under a node: ${why}`, () => expect(whyNotMountable()).toBe(why));
} else {
  describe("a node whose disk fails under load and works again", () => {
    test("acknowledges nothing that is lost, serves reads, refuses commands, and recovers by itself", async () => {
      const rounds = await runTrials({ ...FEW, trials: KINDS.length });
      expect(rounds.flatMap(({ violations }) => violations)).toEqual([]);
      const trials = rounds.flatMap((round) => round.trials);
      expect(new Set(trials.map(({ kind }) => kind))).toEqual(new Set(KINDS.map(({ name }) => name)));
      // Each fault was one: the disk failed something, or somebody was refused. A log this small need not be read again.
      for (const { kind, failed, refused } of trials) {
        if (kind !== "EIO on read") expect([kind, (failed ?? 0) + refused > 0]).toEqual([kind, true]);
      }
    });

    test("is caught where it acknowledges before its flush", async () => {
      const rounds = await runTrials({ ...FEW, trials: 40, control: "early" });
      expect(rounds.some((round) => lostIn(round) > 0)).toBe(true);
    });
  });
}
