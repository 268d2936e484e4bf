// The short form of `npm run deliveries`: two thousand publications, while subscribers come and go.

import { expect, test } from "bun:test";
import { runTrial } from "./trial.ts";

test("each has each exactly once in order, and what it did not acknowledge at least once", async () => {
  const { wrong, received, handed } = await runTrial({ publications: 2000, seed: 1, subscribers: 12, receivers: 2 });
  expect(wrong).toEqual([]);
  expect(received).toBe(4000);
  expect(handed).toBeGreaterThan(2000);
}, 60_000);
