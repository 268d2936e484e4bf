import { expect, test } from "bun:test";
import { backoff } from "./backoff.ts";

const figures = { first: 1000, last: 60_000 };
const never = () => 0;

test("RFC 4271 §8.1.1 DampPeerOscillations: each failure doubles the wait, up to the last", () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 100].map((attempts) => backoff(attempts, figures, never));
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test("before any failure it is the first", () => {
  expect(backoff(0, figures, never)).toBe(1000);
});

test("RFC 4271 §10: up to a quarter less at random, and never more", () => {
  expect(backoff(7, figures, () => 0.5)).toBe(52_500);
  expect(backoff(7, figures, () => 1 - Number.EPSILON)).toBe(45_000);
});

test("however often it failed, it is a number of milliseconds", () => {
  for (const attempts of [1e3, 1e9, Number.MAX_SAFE_INTEGER]) expect(backoff(attempts, figures, never)).toBe(60_000);
  expect(backoff(1e9, { first: 0, last: 0 }, never)).toBe(0);
});

test("a peer that flaps a hundred times a minute is dialled a few times a minute", () => {
  let minutes = 0;
  let dials = 0;
  for (let attempts = 1; minutes < 10; attempts += 1) {
    minutes += backoff(attempts, figures, () => 0.99) / 60_000;
    dials += 1;
  }
  expect(dials).toBeLessThan(25);
});
