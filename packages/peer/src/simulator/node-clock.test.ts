import { expect, test } from "bun:test";
import { NodeClock } from "./node-clock.ts";

test("a deadline of a node's clock is the first millisecond at which it shows that, however wrong it goes", () => {
  for (const drift of [-5000, -1, 0, 1, 5000]) {
    const clock = new NodeClock(0, drift);
    clock.start(1234, 77_000);
    for (let local = 77_000; local < 400_000; local += 997) {
      const when = clock.when(local);
      expect(clock.at(when).now).toBeGreaterThanOrEqual(local);
      expect(when === 1234 || clock.at(when - 1).now < local).toBe(true);
    }
  }
});

test("a monotonic clock begins anew with a start, and the wall clock does not", () => {
  const clock = new NodeClock(7, 0);
  clock.start(0, 100);
  expect(clock.at(5000)).toEqual({ now: 5100, wall: 1_700_000_012 });
  clock.start(5000, 42);
  expect(clock.at(6000)).toEqual({ now: 1042, wall: 1_700_000_013 });
});
