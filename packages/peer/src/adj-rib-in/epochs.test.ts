// What time makes void: incarnations that are over, signatures that have expired, clocks that are set.

import { describe, expect, test } from "bun:test";
import { announce, at, Bench, keyOf, peer, update, WALL } from "../rib/rib.fixture.ts";
import { Epochs } from "./epochs.ts";

const A = "action:a";
const B = "action:b";
const via = (hop: string) => ({ path: [`d-${hop}`, "d-n-o"] });
const owners = [{ routes: ["action:*"], node: "n-o", keys: [keyOf("n-o"), keyOf("n-o's next")] }];

test("an origin that is forgotten begins anew, and so does the count of those that are known", () => {
  const epochs = new Epochs(120_000);
  const keys = ["k-1", "k-2"];
  for (const [at, key] of keys.entries()) epochs.record("n-o", key, 7 + at, keys, 0);
  epochs.record("n-p", "k-3", 9, ["k-3"], 0);
  epochs.forget("n-o");
  epochs.forget("n-nobody");
  expect([epochs.size, epochs.highest("n-o", keys), epochs.highest("n-p", ["k-3"])]).toEqual([1, undefined, 9]);
  expect(epochs.floor("n-o", keys, 500_000)).toBe(0);
  epochs.record("n-o", "k-1", 3, keys, 0);
  expect([epochs.size, epochs.highest("n-o", keys)]).toEqual([2, 3]);
});

describe("an origin that has started again", () => {
  test("THREATS, stale replay: what an earlier incarnation signed is not taken any more, from nobody", () => {
    const bench = new Bench({ owners }).open(peer("n-1"), peer("n-2")).whole("n-1", "n-2");
    bench.receive("n-1", announce("n-o", [A], { ...via("n-1"), epoch: 2 }));
    const outcome = bench.receive("n-2", announce("n-o", [A], { ...via("n-2"), epoch: 1 }));
    expect(outcome.malformed[0]?.text).toMatch(/epoch 1/);
    expect(bench.path(A, "n-2")).toBeUndefined();
  });

  test("a session's first table may have it as long as the grace lasts: whose table comes first is chance", () => {
    const bench = new Bench({ owners }).open(peer("n-1"), peer("n-2"), peer("n-3"));
    bench.receive("n-2", announce("n-o", [A], { ...via("n-2"), epoch: 2 }));
    expect(bench.receive("n-1", announce("n-o", [A], { ...via("n-1"), epoch: 1 })).accepted).toBe(1);
    expect(bench.bestFrom(A)).toBe("n-1");
    bench.advanceTo(121_000);
    expect([bench.why(A, "n-1"), bench.bestFrom(A)]).toEqual(["old-epoch 2", "n-2"]);
    // What a first table brings does not begin the grace anew.
    const { malformed } = bench.receive("n-3", announce("n-o", [A], { ...via("n-3"), epoch: 1 }));
    expect(malformed[0]?.text).toMatch(/epoch 1/);
  });

  test("what is there already stays for the grace, as good as the new, and is then filtered", () => {
    const bench = new Bench({ owners }).open(peer("n-1"), peer("n-2"));
    bench.receive("n-1", announce("n-o", [A, B], { ...via("n-1"), epoch: 1 }));
    bench.advanceTo(1000);
    bench.receive("n-2", announce("n-o", [A], { ...via("n-2"), epoch: 2 }));
    // n-1 says it anew in a moment: to go to n-2 for as long, and back, would be two withdrawals.
    expect([bench.bestFrom(A), bench.bestFrom(B)]).toEqual(["n-1", "n-1"]);
    bench.advanceTo(120_999);
    expect(bench.why(B, "n-1")).toBe("");
    bench.advanceTo(121_000);
    expect([bench.why(A, "n-1"), bench.why(B, "n-1"), bench.rib.best(B)]).toEqual([
      "old-epoch 2",
      "old-epoch 2",
      undefined,
    ]);
    expect(bench.bestFrom(A)).toBe("n-2");
  });

  test("one that starts again and again does not prolong the grace of its first", () => {
    const bench = new Bench({ owners }).open(peer("n-1"), peer("n-2"));
    bench.receive("n-1", announce("n-o", [B], { ...via("n-1"), epoch: 1 }));
    for (let epoch = 2; epoch < 8; epoch += 1) {
      bench.receive("n-2", announce("n-o", [A], { ...via("n-2"), epoch }));
      bench.advanceTo(bench.now + 60_000);
    }
    expect(bench.why(B, "n-1")).toMatch(/old-epoch/);
  });

  test("incarnations count across an owner's keys: a key that is rotated out does not keep old routes alive", () => {
    const bench = new Bench({ owners }).open(peer("n-1"), peer("n-2")).whole("n-1");
    bench.receive("n-1", announce("n-o", [A], { ...via("n-1"), epoch: 1 }));
    bench.receive("n-2", announce("n-o", [A], { ...via("n-2"), epoch: 2, key: keyOf("n-o's next") }));
    expect(bench.receive("n-1", announce("n-o", [B], { ...via("n-1"), epoch: 1 })).malformed).toHaveLength(1);
    bench.advanceTo(121_000);
    expect(bench.why(A, "n-1")).toBe("old-epoch 2");
  });

  test("keys that come to count together: what the one's later incarnation ends of the other's has its grace from then on", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    bench.receive("n-1", announce("n-o", [A], { ...via("n-1"), epoch: 1 }));
    bench.receive("n-2", announce("n-o", [A], { ...via("n-2"), epoch: 2, key: keyOf("n-o's next") }));
    bench.advanceTo(500_000);
    expect([bench.why(A, "n-1"), bench.why(A, "n-2")]).toEqual(["", ""]);
    bench.rib.reconfigure({ owners }, bench.at);
    bench.rib.reconfigure({ owners }, bench.at);
    bench.advanceTo(619_999);
    expect(bench.why(A, "n-1")).toBe("");
    bench.advanceTo(620_000);
    expect([bench.why(A, "n-1"), bench.why(A, "n-2")]).toEqual(["old-epoch 2", ""]);
    bench.rib.reconfigure({ owners }, bench.at);
    expect(bench.rib.deadline()).toBeGreaterThan(1_000_000);
  });

  test("of a node that nobody pinned, no key's high epoch voids what another key signed", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    bench.receive("n-1", announce("n-o", [A], { ...via("n-1"), epoch: 1 }));
    bench.receive("n-2", announce("n-o", [B], { ...via("n-2"), epoch: 999_999, key: keyOf("a liar's") }));
    bench.advanceTo(500_000);
    expect(bench.receive("n-1", announce("n-o", [A], { ...via("n-1"), epoch: 1, expires: WALL + 4000 })).accepted).toBe(
      1,
    );
    expect(bench.why(A, "n-1")).toBe("");
  });
});

test("an origin that has lost count of its starts is refused, in words, until it counts on or its key is another one", () => {
  const own = (keys: readonly string[]) => [{ routes: ["action:*"], node: "n-o", keys }];
  const bench = new Bench({ owners: own([keyOf("n-o")]) }).open(peer("n-1")).whole("n-1");
  bench.receive("n-1", announce("n-o", [A], { ...via("n-1"), epoch: 7 }));
  const { malformed } = bench.receive("n-1", announce("n-o", [A, B], { ...via("n-1"), epoch: 1 }));
  expect(malformed).toEqual([{ routes: 2, text: expect.stringMatching(/n-o.*epoch 1.*\(7\)/) }]);
  expect(bench.rib.best(A)).toBeUndefined();
  bench.advanceTo(3_000_000);
  expect(bench.receive("n-1", announce("n-o", [A], { ...via("n-1"), epoch: 6 })).accepted).toBe(0);
  expect(bench.receive("n-1", announce("n-o", [A], { ...via("n-1"), epoch: 8 })).accepted).toBe(1);
  const other = { ...via("n-1"), key: keyOf("another"), epoch: 1 };
  bench.rib.reconfigure({ owners: own([keyOf("n-o"), other.key]) }, bench.at);
  expect(bench.receive("n-1", announce("n-o", [A], other)).accepted).toBe(0);
  bench.rib.reconfigure({ owners: own([other.key]) }, bench.at);
  expect(bench.receive("n-1", announce("n-o", [A], other)).accepted).toBe(1);
});

test("an epoch counts only once its signature was seen to hold: else one forged claim would silence an origin", () => {
  const bench = new Bench({ owners }).open(peer("n-1"), peer("n-2"));
  const [forged] = announce("n-o", [A], { ...via("n-1"), epoch: 2 });
  bench.receive("n-1", [{ ...forged!, origin: { ...forged!.origin, epoch: 999_999 } }]);
  bench.receive("n-1", announce("n-o", [A], { ...via("n-1"), epoch: 999_999, key: keyOf("a liar's") }));
  expect(bench.receive("n-2", announce("n-o", [A], { ...via("n-2"), epoch: 1 })).accepted).toBe(1);
  bench.advanceTo(500_000);
  expect(bench.why(A, "n-2")).toBe("");
});

describe("expiry", () => {
  test("a path is filtered when its signature has expired and the tolerance is over, and not before", () => {
    const bench = new Bench().open(peer("n-1"));
    bench.receive("n-1", announce("n-1", [A], { expires: WALL + 100 }));
    bench.receive("n-1", announce("n-1", [B], { expires: WALL + 300 }));
    expect(bench.rib.deadline()).toBe(160_000);
    bench.advanceTo(159_999);
    expect(bench.bestFrom(A)).toBe("n-1");
    bench.advanceTo(160_000);
    expect([bench.why(A, "n-1"), bench.rib.best(A), bench.bestFrom(B)]).toEqual(["expired", undefined, "n-1"]);
    expect(bench.rib.deadline()).toBe(360_000);
  });

  test("of several that expire at once each stays what it was, and is itself again when a clock is set back", () => {
    const bench = new Bench().open(peer("n-1"));
    for (const [name, tag] of [
      [A, "a"],
      [B, "b"],
    ] as const) {
      bench.receive("n-1", announce("n-1", [name], { expires: WALL + 100, tags: [tag] }));
    }
    bench.advanceTo(200_000);
    const paths = [...bench.rib.received("n-1")];
    expect(paths.map(({ filtered, attributes: { tags } }) => [filtered?.why, tags])).toEqual([
      ["expired", "a"],
      ["expired", "b"],
    ]);
    bench.rib.tick({ now: 200_000, wall: WALL });
    expect([A, B].map((name) => bench.rib.best(name)?.attributes.tags)).toEqual(["a", "b"]);
  });

  test("one that is signed anew in time lives on", () => {
    const bench = new Bench().open(peer("n-1"));
    bench.receive("n-1", announce("n-1", [A], { expires: WALL + 100 }));
    bench.advanceTo(90_000);
    bench.receive("n-1", announce("n-1", [A], { expires: WALL + 1000 }));
    bench.advanceTo(900_000);
    expect(bench.bestFrom(A)).toBe("n-1");
  });

  test("one that was filtered for it comes back when it is signed anew", () => {
    const bench = new Bench().open(peer("n-1"));
    bench.receive("n-1", announce("n-1", [A], { expires: WALL + 100 }));
    bench.advanceTo(200_000);
    bench.receive("n-1", announce("n-1", [A], { expires: WALL + 1000 }));
    expect(bench.bestFrom(A)).toBe("n-1");
  });
});

describe("a wall clock that is set", () => {
  test("back: what had expired by it has not, and what was refused by it is asked for", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    const { rib } = bench;
    rib.receive("n-1", update(announce("n-1", [A])), at(0));
    const ahead = { now: 1000, wall: WALL + 10_000 };
    rib.tick(ahead);
    expect(bench.why(A, "n-1")).toBe("expired");
    expect(rib.receive("n-1", update(announce("n-1", [B])), ahead).malformed).toHaveLength(1);
    rib.receive("n-2", update([]), at(2000));
    expect(rib.deadline()).toBe(2000);
    rib.tick(at(2000));
    expect(bench.bestFrom(A)).toBe("n-1");
    expect([rib.wantsRefresh("n-1"), rib.wantsRefresh("n-2")]).toEqual([true, false]);
    expect(rib.deadline()).toBeGreaterThan(2000);
  });

  test("little by little: it counts since it was set last, not since it was read last", () => {
    const bench = new Bench().open(peer("n-1"));
    bench.receive("n-1", announce("n-1", [A], { expires: WALL + 100 }));
    bench.advanceTo(170_000);
    expect(bench.why(A, "n-1")).toBe("expired");
    for (let step = 1; step <= 60; step += 1) {
      bench.rib.tick({ now: 170_000 + step, wall: WALL + 170 - 1.5 * step });
    }
    expect(bench.why(A, "n-1")).toBe("");
  });

  test("a clock that is read in whole seconds is not one that was set", () => {
    const bench = new Bench().open(peer("n-1"));
    bench.receive("n-1", announce("n-1", [A]));
    const deadline = bench.rib.deadline();
    bench.rib.tick({ now: 999, wall: WALL });
    bench.rib.tick({ now: 1000, wall: WALL + 1 });
    expect(bench.rib.deadline()).toBeGreaterThanOrEqual(deadline!);
  });
});

describe("the memory of incarnations", () => {
  test("forgets invented origins, and keeps those that are needed", () => {
    const epochs = new Epochs(1000);
    for (let at = 0; at < 1000; at += 1) epochs.record(`n-${at}`, "key", 1, ["key"], 0);
    expect(epochs.size).toBe(1000);
    epochs.prune((node) => node === "n-7");
    expect([epochs.size, epochs.highest("n-7", ["key"]), epochs.highest("n-8", ["key"])]).toEqual([1, 1, undefined]);
  });

  test("claims of invented origins leave no memory behind, however many", () => {
    const bench = new Bench().open(peer("n-1"));
    for (let round = 0; round < 4200; round += 1) {
      bench.receive("n-1", announce(`n-${round}`, [A], { path: ["d-n-1", "d-x"], domain: "d-x" }));
    }
    expect(bench.rib.deadline()).toBe(bench.now);
    bench.rib.tick(bench.at);
    expect(bench.rib.deadline()).toBeGreaterThan(bench.now);
  });

  const flood = (bench: Bench): void => {
    for (let round = 0; round < 4200; round += 1) {
      const [told] = announce(`n-${round}`, [`action:${round}`], { path: ["d-n-1", "d-x"], domain: "d-x" });
      bench.receive("n-1", [told!]);
    }
  };

  test("many origins that do have routes are remembered, and not looked for again and again", () => {
    const bench = new Bench().open(peer("n-1"));
    flood(bench);
    bench.rib.tick(bench.at);
    expect(bench.rib.deadline()).toBeGreaterThan(bench.now);
  });

  test("a peer's own epochs are needed also while it has no route here", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2")).whole("n-2");
    bench.receive("n-2", announce("n-2", [A], { epoch: 5 }));
    bench.receive("n-2", [], [A]);
    flood(bench);
    bench.rib.tick(bench.at);
    expect(bench.receive("n-2", announce("n-2", [A], { epoch: 4 })).accepted).toBe(0);
    expect(bench.receive("n-2", announce("n-2", [A], { epoch: 5 })).accepted).toBe(1);
  });

  test("rises that are near each other fall due together, so that a liar does not have all paths looked at all the time", () => {
    const epochs = new Epochs(1000);
    for (let epoch = 1; epoch < 500; epoch += 1) epochs.record("n-o", "key", epoch, ["key"], epoch);
    expect(epochs.deadline()).toBe(2000);
    epochs.passed(2000);
    expect(epochs.deadline()).toBeUndefined();
    expect(epochs.floor("n-o", ["key"], 2000)).toBe(499);
  });
});
