// A circuit breaker's states, on a clock of the test's own.

import { expect, test } from "bun:test";
import { CircuitBreaker, type Trial } from "./circuit-breaker.ts";

function breaker(failures = 2, cooldown = 100) {
  const clock = { now: 0 };
  const one = new CircuitBreaker("pay", { failures, cooldown }, () => clock.now);
  const enter = (): Trial => {
    const trial = one.enter();
    if ("code" in trial) throw new Error(trial.message);
    return trial;
  };
  const refused = () => {
    const trial = one.enter();
    return "code" in trial ? trial : undefined;
  };
  return { clock, enter, refused };
}

test("opens after so many failures in a row, and says for how long", () => {
  const { clock, enter, refused } = breaker();
  enter().failed();
  enter().succeeded();
  enter().failed();
  expect(refused()).toBeUndefined();
  enter().failed();
  clock.now = 40;
  expect(refused()).toMatchObject({ code: "CIRCUIT_OPEN", message: expect.stringContaining("tried again in 60 ms") });
});

test("lets one through after its cooldown: its failure opens it again, its success closes it", () => {
  const { clock, enter, refused } = breaker(1);
  enter().failed();
  clock.now = 100;
  const probe = enter();
  expect(refused()?.message).toBe("pay failed 1 times in a row; it is being tried now");
  probe.failed();
  expect(refused()?.message).toContain("in 100 ms");
  clock.now = 200;
  enter().succeeded();
  enter().succeeded();
  expect(refused()).toBeUndefined();
});

test("learns nothing of a probe that was cancelled: the next is one too", () => {
  const { clock, enter, refused } = breaker(1);
  enter().failed();
  clock.now = 100;
  enter().abandoned();
  const probe = enter();
  expect(refused()).toBeDefined();
  probe.succeeded();
  expect(refused()).toBeUndefined();
});

test("what began before it opened neither closes it nor keeps it open for longer", () => {
  const { clock, enter, refused } = breaker(1);
  const [late, later, last] = [enter(), enter(), enter()];
  last.failed();
  late.succeeded();
  clock.now = 90;
  later.failed();
  expect(refused()?.message).toContain("in 10 ms");
});

test("counts each run once, whatever is said of it later", () => {
  const { enter, refused } = breaker(2);
  const trial = enter();
  trial.failed();
  trial.failed();
  trial.abandoned();
  expect(refused()).toBeUndefined();
});
