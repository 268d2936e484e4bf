import { expect, test } from "bun:test";
import { RouteDamping } from "./damping.ts";
import { defaultLimits } from "./default-limits.ts";
import type { Damping } from "./route-limit.ts";

const damping = defaultLimits.damping as Damping;

test("RFC 7196 §6: what suppresses is 6000 at least, and what it takes is more than reuse", () => {
  expect(damping.suppressAt).toBeGreaterThanOrEqual(6000);
  expect(damping.most).toBeGreaterThan(damping.suppressAt);
  expect(damping.reuseAt).toBeLessThan(damping.suppressAt);
});

test("RFC 2439 §4.2: no route is left out for longer than four half-lives after its last change", () => {
  const routes = new RouteDamping(damping);
  for (let change = 0; change < 1000; change += 1) routes.onWithdraw("action:flaps", 0);
  expect(routes.reuseAt("action:flaps")).toBe(4 * damping.halfLife);
});

test("a route that is withdrawn a hundred times a minute is suppressed after six of them", () => {
  const routes = new RouteDamping(damping);
  let withdrawals = 0;
  do withdrawals += 1;
  while (!routes.onWithdraw("action:flaps", withdrawals * 600));
  expect(withdrawals).toBe(7);
});

test("a route that changes once a minute never is", () => {
  const routes = new RouteDamping(damping);
  for (let minute = 0; minute < 1000; minute += 1) {
    expect(routes.onWithdraw("action:slow", minute * 60_000)).toBe(false);
  }
});

test("what has to fit into one message fits", () => {
  // wire/message.ts: a path of 1024 domains, of which up to 17 are our own when it goes on.
  expect(defaultLimits.pathLength + 17).toBeLessThanOrEqual(1024);
});
