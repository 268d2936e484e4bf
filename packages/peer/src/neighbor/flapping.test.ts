import { describe, expect, test } from "bun:test";
import { context } from "../session/session.fixture.ts";
import { afterSession, STEADY } from "./flapping.ts";
import { TwoNeighbors } from "./two-neighbors.fixture.ts";

const low = context("low");

describe("RFC 4271 §8.1.1, DampPeerOscillations, of a peer that dials", () => {
  test("two sessions that do not hold are forgiven, each further one doubles how long the peer is refused", () => {
    let flapping = STEADY;
    const waits: number[] = [];
    for (let count = 0; count < 11; count++) {
      flapping = afterSession(flapping, false, low);
      waits.push(Math.max(flapping.refusesUntil - low.now, 0));
    }
    expect(waits).toEqual([0, 0, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 64_000, 64_000]);
  });

  test("one that holds ends it", () => {
    expect(afterSession({ flaps: 9, refusesUntil: low.now + 1 }, true, low)).toEqual(STEADY);
  });
});

/** High does as it likes: dials every 600 ms, proves who it is, and breaks or leaves the connection. */
function flap(pair: TwoNeighbors, leave: (pair: TwoNeighbors) => void): number {
  const until = pair.now + 60_000;
  const established = () =>
    pair.effects.filter(({ name, effect }) => name === "low" && effect.type === "established").length;
  const before = established();
  while (pair.now < until) {
    pair.restart("upper");
    pair.epochs.upper -= 1;
    pair.input("upper", { type: "start" });
    pair.quiet();
    leave(pair);
    pair.now += 600;
    pair.input("low", { type: "tick" });
    pair.quiet();
  }
  return established() - before;
}

test("sessions that the peer dialled and that did not hold slow our own dials as well", () => {
  const pair = new TwoNeighbors();
  pair.input("low", { type: "start" });
  pair.stallDial("low");
  const waits: number[] = [];
  for (let count = 1; count <= 3; count++) {
    pair.restart("upper");
    pair.input("upper", { type: "start" });
    pair.quiet();
    pair.cut(pair.established("low") as string);
    const { attempts, timers } = pair.neighbors.low.dialled;
    expect(attempts).toBe(count);
    waits.push((timers["idle-hold"] as number) - pair.now);
  }
  expect(waits).toEqual([1000, 2000, 4000]);
});

describe("a peer that flaps a hundred times a minute", () => {
  test("is let in a few times", () => {
    const pair = new TwoNeighbors(() => 0, { passive: false });
    pair.input("low", { type: "start" });
    pair.quiet();
    const times = flap(pair, (one) => {
      for (const connection of one.open) one.cut(connection);
    });
    expect(times).toBeGreaterThan(2);
    expect(times).toBeLessThan(20);
  });

  test("also when it leaves the old connections open: a proved dial takes the place of the one before", () => {
    const pair = new TwoNeighbors();
    pair.input("low", { type: "start" });
    pair.quiet();
    expect(flap(pair, () => {})).toBeLessThan(20);
  });

  test("is let in at once when an operator starts it again", () => {
    const pair = new TwoNeighbors();
    pair.input("low", { type: "start" });
    pair.quiet();
    flap(pair, () => {});
    expect(pair.neighbors.low.flapping.refusesUntil).toBeGreaterThan(pair.now);
    pair.input("low", { type: "start" });
    expect(pair.neighbors.low.flapping).toEqual(STEADY);
  });

  test("is let in again once it holds still", () => {
    const pair = new TwoNeighbors();
    pair.input("low", { type: "start" });
    pair.quiet();
    flap(pair, (one) => {
      for (const connection of one.open) one.cut(connection);
    });
    const until = pair.now + 64_000 + 64_000;
    while (pair.wait(until));
    expect(pair.established("low")).toBeDefined();
    expect(pair.established("upper")).toBe(pair.established("low") as string);
    // A hold time later it is like any other.
    const later = pair.now + 100_000;
    while (pair.wait(later));
    for (const connection of pair.open) pair.cut(connection);
    expect(pair.neighbors.low.flapping).toEqual(STEADY);
  });
});
