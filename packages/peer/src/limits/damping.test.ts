import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RouteDamping } from "./damping.ts";
import type { Damping } from "./route-limit.ts";

const FIGURES: Damping = { withdrawal: 1000, change: 500, suppressAt: 2000, reuseAt: 750, most: 6000, halfLife: 1000 };
const A = "action:a";
const B = "action:b";

describe("RFC 2439 §4.2: a penalty", () => {
  test("is what a withdrawal and a change cost", () => {
    const routes = new RouteDamping(FIGURES);
    expect(routes.penalty(A, 0)).toBe(0);
    routes.onWithdraw(A, 0);
    routes.onChange(A, 0);
    expect(routes.penalty(A, 0)).toBe(1500);
    expect(routes.penalty(B, 0)).toBe(0);
  });

  test("halves with every half-life", () => {
    const routes = new RouteDamping(FIGURES);
    routes.onWithdraw(A, 5000);
    expect([6000, 7000, 8000].map((now) => routes.penalty(A, now))).toEqual([500, 250, 125]);
    expect(routes.penalty(A, 5500)).toBeCloseTo(1000 / Math.SQRT2, 6);
  });

  test("is added to what is left of it, and never more than the most", () => {
    const routes = new RouteDamping(FIGURES);
    routes.onWithdraw(A, 0);
    routes.onWithdraw(A, 1000);
    expect(routes.penalty(A, 1000)).toBe(1500);
    for (let more = 0; more < 20; more += 1) routes.onWithdraw(A, 1000);
    expect(routes.penalty(A, 1000)).toBe(6000);
  });

  test("does not grow where time seems to run backwards", () => {
    const routes = new RouteDamping(FIGURES);
    routes.onWithdraw(A, 1000);
    expect(routes.penalty(A, 0)).toBe(1000);
  });
});

describe("RFC 2439 §4.2: a route", () => {
  test("is suppressed past the cut-off, and not at it", () => {
    const routes = new RouteDamping(FIGURES);
    expect(routes.onWithdraw(A, 0)).toBe(false);
    expect(routes.onWithdraw(A, 0)).toBe(false);
    expect(routes.onChange(A, 0)).toBe(true);
    expect(routes.suppressed(A, 0)).toBe(true);
    expect(routes.suppressed(B, 0)).toBe(false);
  });

  test("stays so between the thresholds, and is taken again below the lower one", () => {
    const routes = new RouteDamping(FIGURES);
    for (let flap = 0; flap < 3; flap += 1) routes.onWithdraw(A, 0);
    // 3000 has decayed to 750 after two half-lives.
    expect(routes.reuseAt(A)).toBe(2000);
    expect(routes.nextReuse()).toBe(2000);
    expect(routes.suppressed(A, 1999)).toBe(true);
    expect(routes.takeReusable(1999)).toEqual([]);
    expect(routes.suppressed(A, 2000)).toBe(false);
    expect(routes.takeReusable(2000)).toEqual([A]);
    expect(routes.takeReusable(2000)).toEqual([]);
    expect(routes.nextReuse()).toBeUndefined();
  });

  test("that goes on flapping goes on being suppressed", () => {
    const routes = new RouteDamping(FIGURES);
    for (let flap = 0; flap < 3; flap += 1) routes.onWithdraw(A, 0);
    // 1500 is left, and 500 more is the cut-off and not past it: but it is suppressed already.
    expect(routes.onChange(A, 1000)).toBe(true);
    const later = 1000 + Math.ceil(1000 * Math.log2(2000 / 750));
    expect(routes.nextReuse()).toBe(later);
    expect(routes.takeReusable(later - 1)).toEqual([]);
    expect(routes.takeReusable(later)).toEqual([A]);
  });

  test("whose time is over is taken on its next change, whether or not anybody asked", () => {
    const routes = new RouteDamping(FIGURES);
    for (let flap = 0; flap < 3; flap += 1) routes.onWithdraw(A, 0);
    expect(routes.onChange(A, 2000)).toBe(false);
    expect(routes.takeReusable(10_000)).toEqual([]);
  });

  test("that is suppressed for the second time is given back once", () => {
    const routes = new RouteDamping(FIGURES);
    for (let flap = 0; flap < 3; flap += 1) routes.onWithdraw(A, 0);
    for (let flap = 0; flap < 3; flap += 1) routes.onWithdraw(A, 3000);
    const reuseAt = routes.reuseAt(A) as number;
    expect(routes.takeReusable(reuseAt)).toEqual([A]);
    expect(routes.takeReusable(1e9)).toEqual([]);
  });
});

test("reuse is told in the order of time, whatever order routes were suppressed in", () => {
  const routes = new RouteDamping(FIGURES);
  const name = (at: number) => `action:${at}`;
  const order = Array.from({ length: 200 }, (_, at) => (at * 73) % 200);
  for (const at of order) for (let flap = 0; flap < 3; flap += 1) routes.onWithdraw(name(at), at);
  for (let at = 0; at < 200; at += 1) {
    expect(routes.nextReuse()).toBe(at + 2000);
    expect(routes.takeReusable(at + 2000)).toEqual([name(at)]);
  }
});

describe("memory", () => {
  test("RFC 2439 §4.2: a route that behaved is forgotten once its penalty is below half of reuse", () => {
    const routes = new RouteDamping(FIGURES);
    routes.onWithdraw(A, 0);
    routes.takeReusable(1400); // 379
    expect(routes.size).toBe(1);
    routes.takeReusable(1500); // 354
    expect(routes.size).toBe(0);
  });

  test("a flood of new names lets go of the old ones by itself", () => {
    const routes = new RouteDamping(FIGURES);
    for (let at = 0; at < 10_000; at += 1) routes.onWithdraw(`action:${at}`, at);
    expect(routes.size).toBeLessThan(1500);
  });

  test("at most so many routes have one: the one longest at rest makes room, and is taken again", () => {
    const routes = new RouteDamping(FIGURES, 16);
    for (let flap = 0; flap < 3; flap += 1) routes.onWithdraw(A, 0);
    for (let at = 0; at < 16; at += 1) routes.onWithdraw(`action:${at}`, 0);
    expect(routes.size).toBe(14);
    expect(routes.suppressed(A, 0)).toBe(false);
    expect(routes.nextReuse()).toBeLessThanOrEqual(0);
    expect(routes.takeReusable(0)).toEqual([A]);
    expect(routes.nextReuse()).toBeUndefined();
  });
});

test("a flood of names that are suppressed and make room leaves nothing behind", () => {
  const routes = new RouteDamping(FIGURES, 16);
  for (let at = 0; at < 5000; at += 1) for (let flap = 0; flap < 3; flap += 1) routes.onWithdraw(`action:${at}`, 0);
  expect(routes.size).toBeLessThanOrEqual(16);
  expect((routes as unknown as { reuses: unknown[] }).reuses.length).toBeLessThan(1100);
  const [last] = [4999].map((at) => `action:${at}`);
  expect(routes.suppressed(last!, 0)).toBe(true);
  expect(routes.takeReusable(1e6)).toContain(last!);
});

/** Every penalty decayed step by step at each event, all looked at each time. */
class NaiveDamping {
  private readonly penalties = new Map<string, { value: number; suppressed: boolean }>();
  private now = 0;
  constructor(private readonly figures: Damping) {}

  until(now: number): void {
    for (const penalty of this.penalties.values()) penalty.value *= 2 ** (-(now - this.now) / this.figures.halfLife);
    this.now = now;
    for (const penalty of this.penalties.values())
      if (penalty.value <= this.figures.reuseAt) penalty.suppressed = false;
  }
  charge(name: string, amount: number): void {
    const before = this.penalties.get(name) ?? { value: 0, suppressed: false };
    const value = Math.min(this.figures.most, before.value + amount);
    this.penalties.set(name, { value, suppressed: before.suppressed || value > this.figures.suppressAt });
  }
  forget(name: string): void {
    this.penalties.delete(name);
  }
  suppressed(name: string): boolean {
    return this.penalties.get(name)?.suppressed ?? false;
  }
  value(name: string): number {
    return this.penalties.get(name)?.value ?? 0;
  }
}

test("a penalty that is worked out when it is asked for is the one that decays all the time", () => {
  const names = ["action:a", "action:b", "action:c"];
  const compare = (routes: RouteDamping, naive: NaiveDamping, now: number) => {
    for (const each of names) {
      if (routes.penalty(each, now) === 0) {
        expect(naive.value(each)).toBeLessThan(FIGURES.reuseAt / 2);
        naive.forget(each);
      }
      expect(routes.penalty(each, now)).toBeCloseTo(naive.value(each), 6);
      // Whole milliseconds: a route is taken up to one later than its penalty has decayed.
      if (Math.abs(naive.value(each) - FIGURES.reuseAt) > 1) {
        expect(routes.suppressed(each, now)).toBe(naive.suppressed(each));
      }
    }
  };
  const event = fc.record({
    name: fc.constantFrom(...names),
    after: fc.oneof(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 6000 })),
    withdrawn: fc.boolean(),
    asked: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const routes = new RouteDamping(FIGURES);
      const naive = new NaiveDamping(FIGURES);
      const out = new Set<string>();
      let now = 0;
      for (const { name, after, withdrawn, asked } of events) {
        now += after;
        naive.until(now);
        if (asked) for (const reusable of routes.takeReusable(now)) expect(out.delete(reusable)).toBe(true);
        compare(routes, naive, now);
        naive.charge(name, withdrawn ? FIGURES.withdrawal : FIGURES.change);
        const suppressed = withdrawn ? routes.onWithdraw(name, now) : routes.onChange(name, now);
        if (suppressed) out.add(name);
        else out.delete(name);
        compare(routes, naive, now);
      }
      for (const reusable of routes.takeReusable(1e9)) expect(out.delete(reusable)).toBe(true);
      expect(out.size).toBe(0);
      expect(routes.size).toBe(0);
    }),
    { seed: 11, numRuns: 300 },
  );
});
