import { describe, expect, test } from "bun:test";
import { golden } from "./golden.fixture.ts";
import type { Announcement, RawUpdate } from "./message.ts";
import { readUpdate, type Update } from "./read-update.ts";

const [like] = (golden.update as RawUpdate).announce as Announcement[];

const announcing = (names: readonly string[], change: Partial<Record<keyof Announcement, unknown>> = {}) => ({
  ...like,
  leaves: names.map((name) => [name, ""]),
  ...change,
});

const raw = (withdraw: readonly unknown[], announce: readonly unknown[]): RawUpdate => ({
  type: "update",
  seq: 0,
  withdraw: [...withdraw],
  announce: [...announce],
});

function read(withdraw: readonly unknown[], announce: readonly unknown[], updateRoutes = 100): Update {
  const reading = readUpdate(raw(withdraw, announce), { updateRoutes });
  if (!reading.ok) throw new Error(reading.text);
  return reading.update;
}

const announced = ({ announce }: Update) => announce.map(({ leaves }) => leaves.map(([name]) => name));
const withdrawn = ({ malformed }: Update) => malformed.map(({ routes }) => routes);

describe("a name more than once in one update", () => {
  test("RFC 4271 §4.3: withdrawn and announced is announced", () => {
    const update = read(["action:a", "action:b"], [announcing(["action:b", "action:c"])]);
    expect(update.withdraw).toEqual(["action:a"]);
    expect(announced(update)).toEqual([["action:b", "action:c"]]);
  });

  test("RFC 7606 §2: of a malformed announcement it is as withdrawn, so what is announced beside it stands, before or after", () => {
    const bad = announcing(["action:a", "action:b"], { path: 1 });
    const good = announcing(["action:b"]);
    for (const both of [
      [bad, good],
      [good, bad],
    ]) {
      const update = read([], both);
      expect(withdrawn(update)).toEqual([["action:a"]]);
      expect(announced(update)).toEqual([["action:b"]]);
    }
  });

  test("withdrawn twice is withdrawn once", () => {
    expect(read(["action:a", "action:a"], []).withdraw).toEqual(["action:a"]);
  });

  test("announced twice keeps its order, so that the last one replaces the others (RFC 4271 §3.1)", () => {
    const update = read([], [announcing(["action:a"], { path: "x" }), announcing(["action:a"], { path: "y" })]);
    expect(update.announce.map(({ path }) => path)).toEqual(["x", "y"]);
  });
});

describe("RFC 7606: what is malformed costs its own routes", () => {
  test("siblings on both sides live", () => {
    const update = read(
      [],
      [announcing(["action:a"]), announcing(["action:b"], { origin: null }), announcing(["action:c"])],
    );
    expect(announced(update)).toEqual([["action:a"], ["action:c"]]);
    expect(update.malformed).toEqual([{ routes: ["action:b"], text: "announce.1: origin is not of type object" }]);
  });

  test("§5.4: a name that is none names no route of ours, so nothing needs to be withdrawn for it", () => {
    expect(withdrawn(read([], [announcing(["action:a", "not a name"])]))).toEqual([["action:a"]]);
    expect(withdrawn(read(["not a name"], []))).toEqual([[]]);
  });

  test("§3 (j): a name that cannot be read at all is an error of the session's", () => {
    const complaint = { code: "update-error", subcode: "malformed-update" } as const;
    for (const leaves of [undefined, "action:a", [7], [["action:a", ""], null], [[null, ""]], [{ 0: "action:a" }]]) {
      const reading = readUpdate(raw([], [announcing([], { leaves })]), { updateRoutes: 100 });
      expect(reading).toMatchObject({ ok: false, complaint });
    }
  });

  test("an update of nothing is fine (RFC 4271 §4.3 has it as End-of-RIB; here that is a message of its own)", () => {
    expect(read([], [])).toEqual({ withdraw: [], announce: [], malformed: [] });
  });
});

describe("the limit of routes in one update", () => {
  const complaint = { code: "update-error", subcode: "too-large" } as const;
  const four = raw(["action:a"], [announcing(["action:b", "action:c"]), announcing(["action:d"], { path: 0 })]);

  test("counts what is withdrawn, announced and malformed", () => {
    expect(readUpdate(four, { updateRoutes: 4 }).ok).toBe(true);
    const text = "more than 3 routes in one update";
    expect(readUpdate(four, { updateRoutes: 3 })).toEqual({ ok: false, complaint, text });
  });

  test("does not count what is pruned", () => {
    const pruned = announcing([], { leaves: [["action:a", ""], ...Array(9).fill([1, "A".repeat(43)])] });
    expect(readUpdate(raw([], [pruned]), { updateRoutes: 1 }).ok).toBe(true);
  });
});

test("names that are none are told of once an announcement, however many there are", () => {
  const leaves = Array(1024).fill(["x y", ""]);
  const update = read([], Array(100).fill(announcing([], { leaves })), 1_000_000);
  expect(update.malformed).toHaveLength(100);
  expect(update.malformed[0]).toEqual({ routes: [], text: "announce.0: leaves.0 is malformed" });
});

test("what is announced has no members but its own, whatever came with it", () => {
  const [odd] = JSON.parse(JSON.stringify([announcing(["action:a"])]).replace('"tags"', '"__proto__":{"x":1},"tags"'));
  expect(read([], [odd]).announce).toEqual([]);
  const [announcement] = read([], [announcing(["action:a"])]).announce;
  expect(Object.getPrototypeOf(announcement)).toBe(Object.prototype);
});
