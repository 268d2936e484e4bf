// The short form of `npm run chaos`: a few cycles, few clients, and both controls, which show that the checks can fail.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { catches, runChaos } from "../chaos/chaos.ts";
import type { KillPoint } from "../chaos/kill-point.ts";

// How soon a server is ready is for `npm run chaos`: beside other tests a process starts when it gets a processor.
const FEW = { clients: 16, acknowledged: 40, seed: 7, mostReadyMs: 20_000 };

// Nine processes start one after another.
setDefaultTimeout(60_000);

describe("a server that is killed under load", () => {
  test("loses nothing acknowledged and runs nothing twice that must not", async () => {
    const points: readonly KillPoint[] = ["append:inside", "effect:once-after", "reply:before"];
    const cycles = await runChaos({ ...FEW, points, cycles: points.length });
    expect(cycles.flatMap(({ violations }) => violations)).toEqual([]);
    expect(cycles.map(({ point }) => point)).toEqual([...points]);
    expect(Math.min(...cycles.map(({ acknowledged }) => acknowledged))).toBeGreaterThanOrEqual(FEW.acknowledged);
    // One was running when it was killed, at least; what ran was never run again.
    expect(cycles.at(-1)?.ambiguous).toBeGreaterThan(0);
  });

  test("is caught where it replies before its commit", async () => {
    const cycles = await runChaos({ ...FEW, control: "early", points: ["append:before"], cycles: 20 });
    expect(cycles.some((cycle) => catches(cycle, "early"))).toBe(true);
  });

  test("is caught where it runs again by itself what must not run twice", async () => {
    const cycles = await runChaos({ ...FEW, control: "twice", points: ["effect:once-after"], cycles: 20 });
    expect(cycles.some((cycle) => catches(cycle, "twice"))).toBe(true);
  });
});
