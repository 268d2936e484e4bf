import { expect, test } from "bun:test";
import { checkRouteLimit } from "./check-route-limit.ts";
import type { RouteLimit } from "./route-limit.ts";

const limit = (then: RouteLimit["then"]): RouteLimit => ({ routes: 100, warnAt: 0.75, then, restartAfter: 1000 });

test("RFC 4271 §6.7: past the limit follows what the operator chose", () => {
  for (const then of ["warn", "drop", "restart", "disable"] as const) {
    expect(checkRouteLimit(101, limit(then))).toBe(then);
    expect(checkRouteLimit(1_000_000, limit(then))).toBe(then);
  }
});

test("the limit itself is within the limit", () => {
  expect(checkRouteLimit(100, limit("disable"))).toBe("warn");
});

test("a warning comes at the part of it that is set", () => {
  expect(checkRouteLimit(0, limit("drop"))).toBe("ok");
  expect(checkRouteLimit(74, limit("drop"))).toBe("ok");
  expect(checkRouteLimit(75, limit("drop"))).toBe("warn");
});
