// What a witness makes of the next checkpoint that a log shows: logs made leaf by leaf, and peers that answer as they like.

import { describe, expect, test } from "bun:test";
import { type Checkpoint, LEAVES_KEPT, LeafWindow, leafHash, memoryLog, nodeHash } from "@capstan/orchestrator";
import { examine, type Known, type Verdict } from "./examine.ts";
import { type LogOfPeer, Unanswered } from "./log-of-peer.ts";

const LOG = `l-${"0".repeat(26)}`;

/** A log of these entries, as its node would prove it. */
class Made implements LogOfPeer {
  readonly #log = memoryLog();
  asked = 0;

  constructor(entries: readonly string[]) {
    const made = entries.map((text, i) => ({ id: `m-${i}`, at: 0, text, rows: [] }));
    this.#log.append(0, made);
  }

  async prove({ to, from, base, entry }: { to: number; from?: number; base?: number; entry?: number }) {
    this.asked++;
    const { tree } = this.#log;
    return {
      proof: from === undefined ? [] : await tree.consistency(from, to),
      peaks: base === undefined ? [] : [...(await tree.inclusion(base, base + 1))].reverse(),
      inclusion: entry === undefined ? [] : await tree.inclusion(entry - 1, to),
    };
  }

  async leaves(from: number, count: number) {
    this.asked++;
    return this.#log.tree.leaves(from - 1, count);
  }

  at(size: number, more: Partial<Checkpoint> = {}): Checkpoint {
    return { origin: `capstan/${LOG}`, log: LOG, size, root: this.root(size), epoch: 4, at: 0, ...more };
  }

  root(size: number): Uint8Array {
    return this.#log.tree.root(size) as Uint8Array;
  }

  /** As a witness holds it that has seen all of it. */
  held(size: number, more: Partial<Checkpoint> = {}): Known {
    const leaves = LeafWindow.empty.grown(this.#log.tree.leaves(0, size) as Uint8Array);
    return { checkpoint: this.at(size, more), leaves };
  }
}

const named = (name: string, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `{"${name}":${from + i}}`);
const log = new Made(named("a", 0, 100));
/** The same up to entry 60, and others then. */
const forked = new Made([...named("a", 0, 60), ...named("b", 60, 200)]);

/** A peer of which some answers are others. */
function altered(peer: LogOfPeer, change: Partial<LogOfPeer>): LogOfPeer {
  return { prove: (asked) => peer.prove(asked), leaves: (from, count) => peer.leaves(from, count), ...change };
}

const found = (kind: string, entry?: number): Verdict =>
  expect.objectContaining({
    kind: "found",
    found: kind,
    ...(entry === undefined ? {} : { entry }),
  }) as unknown as Verdict;

describe("a log that grew", () => {
  test("is good, from wherever it is looked at, and its leaves are known", async () => {
    for (const [from, to] of [
      [0, 1],
      [1, 1],
      [1, 100],
      [63, 64],
      [64, 100],
      [100, 100],
    ] as const) {
      const verdict = await examine(log.held(from), log.at(to), log);
      expect(verdict).toMatchObject({ kind: "good" });
      expect(verdict.kind === "good" && verdict.leaves.root(to)).toEqual(log.root(to));
    }
    expect(await examine(undefined, log.at(0), log)).toMatchObject({ kind: "good" });
  });

  test("is good without leaves that were lost: they are asked for anew", async () => {
    const verdict = await examine({ checkpoint: log.at(40), leaves: undefined }, log.at(90), log);
    expect(verdict.kind === "good" && verdict.leaves.leaf(1)).toEqual(leafHash('{"a":0}'));
  });

  test("by more than is kept is held by its newest leaves", async () => {
    const many = LEAVES_KEPT + 10;
    const large = new Made(named("c", 0, many));
    const verdict = await examine(large.held(5), large.at(many), large);
    if (verdict.kind !== "good") throw new Error(verdict.why);
    expect([verdict.leaves.base, verdict.leaves.size]).toEqual([10, many]);
    expect(verdict.leaves.root(many)).toEqual(large.root(many));
  });
});

describe("a log that left what it was", () => {
  test("is forked at the first entry that is another, longer, shorter within the fork, or as long", async () => {
    expect(await examine(log.held(100), forked.at(200), forked)).toEqual(found("forked", 61));
    expect(await examine(log.held(100), forked.at(100), forked)).toEqual(found("forked", 61));
    expect(await examine(log.held(61), forked.at(61), forked)).toEqual(found("forked", 61));
    expect(await examine(log.held(100), forked.at(90), forked)).toEqual(found("rewound", 61));
  });

  test("is rewound where it is shorter: the first entry that is gone", async () => {
    expect(await examine(log.held(100), log.at(99), log)).toEqual(found("rewound", 100));
    expect(await examine(log.held(100), log.at(0), log)).toEqual(found("rewound", 1));
    // A count of starts that went back is one, too: by its entries nothing is missing.
    expect(await examine(log.held(90, { epoch: 5 }), log.at(100), log)).toEqual(found("rewound"));
  });

  test("is replaced where it is another one", async () => {
    const other = { ...log.at(100), log: `l-${"1".repeat(26)}` };
    expect(await examine(log.held(100), other, log)).toEqual(found("replaced"));
  });

  test("is found whatever is kept of it, named as far as that goes", async () => {
    expect(await examine({ checkpoint: log.at(100), leaves: undefined }, forked.at(200), forked)).toEqual({
      ...{ kind: "found", found: "forked", why: expect.stringContaining("nothing that is kept tells") },
    });
    const late = LeafWindow.from(80, (await log.prove({ to: 100, base: 80 })).peaks).grown(await log.leaves(81, 20));
    expect(await examine({ checkpoint: log.at(100), leaves: late }, forked.at(70), forked)).toEqual(
      found("rewound", 71),
    );
    expect(await examine({ checkpoint: log.at(100), leaves: late }, forked.at(200), forked)).toEqual(
      found("forked", 81),
    );
  });
});

describe("a restore", () => {
  const restored = { epoch: 5, size: 60, root: log.root(60) };

  test("that is declared is good, and goes on from what it kept", async () => {
    const verdict = await examine(log.held(100), forked.at(90, { epoch: 5, restored }), forked);
    expect(verdict).toMatchObject({ kind: "good", kept: 60 });
    expect(verdict.kind === "good" && verdict.leaves.root(90)).toEqual(forked.root(90));
  });

  test("from a backup of another log than this was is a fork that calls itself a restore", async () => {
    const made = new Made([...named("a", 0, 50), ...named("x", 50, 90)]);
    const claimed = made.at(90, { epoch: 5, restored: { epoch: 5, size: 60, root: made.root(60) } });
    expect(await examine(log.held(100), claimed, made)).toEqual(found("forked", 51));
    // Of what nobody knows any more it is the signer's word.
    expect(await examine({ checkpoint: log.at(100), leaves: undefined }, claimed, made)).toMatchObject({
      kind: "good",
    });
  });
});

describe("a peer that", () => {
  const rejects = () => Promise.reject(new Unanswered("it said no"));
  const nobody = (why: string): Verdict => ({
    kind: "unproved",
    why: expect.stringContaining(why) as unknown as string,
  });

  test("does not answer is accused of nothing, and nothing of it is good", async () => {
    expect(await examine(log.held(50), log.at(90), altered(log, { prove: rejects }))).toEqual(nobody("it said no"));
    expect(await examine(log.held(50), log.at(90), altered(log, { leaves: rejects }))).toEqual(nobody("it said no"));
  });

  test("gives leaves or hashes that do not fit is not believed", async () => {
    const zeroes = altered(log, { leaves: async (_, count) => new Uint8Array(32 * count) });
    expect(await examine(log.held(50), log.at(90), zeroes)).toEqual(nobody("not those that it signed"));
    const large = new Made(named("c", 0, LEAVES_KEPT + 3));
    const few = altered(large, { prove: async () => ({ proof: [], peaks: [leafHash("a")], inclusion: [] }) });
    expect(await examine(undefined, large.at(LEAVES_KEPT + 3), few)).toEqual(nobody("1 hashes for the tree of 3"));
    const wrong = [nodeHash(leafHash("a"), leafHash("b")), leafHash("c")];
    const other = altered(large, { prove: async () => ({ proof: [], peaks: wrong, inclusion: [] }) });
    expect(await examine(undefined, large.at(LEAVES_KEPT + 3), other)).toEqual(nobody("not those that it signed"));
  });

  test("forked, and hides where, is found all the same", async () => {
    expect(await examine(log.held(100), forked.at(200), altered(forked, { leaves: rejects }))).toEqual(
      expect.objectContaining({ kind: "found", found: "forked", why: expect.stringContaining("it does not show") }),
    );
    // It shows the leaves that were: what it signed are others, before those that are kept or among them.
    const old = altered(forked, { leaves: (from, count) => log.leaves(from, Math.min(count, 101 - from)) });
    expect(await examine(log.held(100), forked.at(200), old)).toMatchObject({ kind: "found", found: "forked" });
    // It blames another entry than the one: it cannot prove that it has it.
    const blames = altered(forked, { leaves: async (_, count) => new Uint8Array(32 * count) });
    const verdict = await examine(log.held(100), forked.at(200), blames);
    expect(verdict).toMatchObject({ found: "forked", why: expect.stringContaining("does not prove that it signed") });
    expect(verdict).not.toHaveProperty("entry");
  });
});
