// Routes that were signed together and announced together, with attributes of their own: each is judged by its own, and goes on to
// others in one announcement again.

import { describe, expect, spyOn, test } from "bun:test";
import { ChunkCache } from "../origin/chunk-cache.ts";
import { announce, Bench, namesIn, peer, policy } from "../rib/rib.fixture.ts";
import type { Announcement, Apart } from "../wire/message.ts";

const [A, B, C, D] = ["action:a", "action:b", "action:c", "action:d"] as const;

/** What is said of those routes alone. */
interface Own {
  readonly at: number[];
  readonly path?: string;
  readonly localPreference?: number;
  readonly tags?: string;
}

function apart(...own: readonly Own[]): Announcement[] {
  const [one] = announce("n-o", [A, B, C, D], { path: ["d-n-1", "d-n-o"], tags: ["fast"] });
  const columns: Apart = {
    at: own.map(({ at }) => at),
    path: own.map(({ path = null }) => path),
    localPreference: own.map(({ localPreference = null }) => localPreference),
    tags: own.map(({ tags = null }) => tags),
  };
  return [{ ...(one as Announcement), apart: columns }];
}

describe("what comes in", () => {
  test("has its own path and tags, and what is not said is the others'", () => {
    const bench = new Bench().open(peer("n-1"));
    bench.receive("n-1", apart({ at: [1], path: "d-n-1 d-x d-n-o" }, { at: [2, 3], tags: "slow" }));
    const attributes = [A, B, C, D].map((name) => {
      const { path, tags } = bench.rib.best(name)!.attributes;
      return [path, tags];
    });
    expect(attributes).toEqual([
      ["d-n-1 d-n-o", "fast"],
      ["d-n-1 d-x d-n-o", "fast"],
      ["d-n-1 d-n-o", "slow"],
      ["d-n-1 d-n-o", "slow"],
    ]);
    const [c, d] = [bench.path(C, "n-1"), bench.path(D, "n-1")];
    expect(c?.attributes).toBe(d!.attributes);
    expect(c?.attributes.chunk).toBe(bench.path(A, "n-1")!.attributes.chunk);
  });

  test("is judged by what it has: a loop is one route's, and so is a clause", () => {
    const refusing = policy(
      { name: "slow", then: "reject", match: { tags: ["slow"] } },
      { name: "all else", then: "accept", unowned: true },
    );
    const bench = new Bench().open(peer("n-1", { import: refusing }));
    bench.receive("n-1", apart({ at: [0], path: "d-n-1 home d-n-o" }, { at: [1], tags: "slow" }));
    expect([A, B, C].map((name) => bench.why(name, "n-1"))).toEqual(["loop home", "import-policy slow", ""]);
  });

  test("is judged by what it has when a policy changes, and its chunk is assessed once", () => {
    const bench = new Bench().open(peer("n-1"));
    bench.receive("n-1", apart({ at: [0], path: "d-n-1 d-x d-n-o" }, { at: [1], tags: "slow" }, { at: [2], tags: "" }));
    const refusing = policy(
      { name: "slow", then: "reject", match: { tags: ["slow"] } },
      { name: "far", then: "reject", match: { through: ["d-x"] } },
      { name: "all else", then: "accept", unowned: true },
    );
    using assessed = spyOn(ChunkCache.prototype, "assess");
    bench.rib.reconfigure({ peers: [peer("n-1", { import: refusing })] }, bench.at);
    expect([A, B, C, D].map((name) => bench.why(name, "n-1"))).toEqual([
      ...["import-policy far", "import-policy slow", "", ""],
    ]);
    expect(assessed).toHaveBeenCalledTimes(1);
  });

  test("has a preference of its own inside the domain, and none from another", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2", { domain: "home" }));
    const preferring = apart({ at: [0], localPreference: 7 });
    bench.receive("n-1", preferring);
    bench.receive("n-2", preferring);
    expect(bench.path(A, "n-1")?.received.localPreference).toBe(100);
    expect(bench.path(A, "n-2")?.received.localPreference).toBe(7);
    expect(bench.path(B, "n-2")?.received.localPreference).toBe(100);
  });

  test("counts with its announcement where one path is not the peer's to tell (RFC 7606)", () => {
    const bench = new Bench().open(peer("n-1"));
    bench.receive("n-1", announce("n-o", [A], { path: ["d-n-1", "d-n-o"] }));
    const { malformed } = bench.receive("n-1", apart({ at: [3], path: "d-n-9 d-n-o" }));
    expect(malformed).toMatchObject([{ routes: 4, text: expect.stringContaining("the path begins with d-n-9") }]);
    expect(bench.rib.best(A)).toBeUndefined();
  });
});

describe("what goes out", () => {
  test("is one announcement a chunk, and comes in as it went out", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    bench.receive("n-1", apart({ at: [1], path: "d-n-1 d-x d-n-o" }, { at: [2], tags: "" }));
    const { announce: told } = bench.drain("n-2");
    expect(told).toMatchObject([
      {
        ...{ path: "home d-n-1 d-n-o", tags: "fast" },
        apart: { at: [1, 2], path: ["home d-n-1 d-x d-n-o", null], tags: [null, ""] },
      },
    ]);
    const there = new Bench({ node: "n-2", domain: "d-n-2" }).open(peer("n-home", { domain: "home" }));
    expect(there.receive("n-home", told).malformed).toEqual([]);
    expect([A, B, C, D].map((name) => there.rib.best(name)?.attributes.tags)).toEqual(["fast", "fast", "", "fast"]);
    expect(there.rib.best(B)?.attributes.path).toBe("home d-n-1 d-x d-n-o");
  });

  test("says nothing of single routes that an export policy makes like the others", () => {
    const alike = policy({ name: "all", then: "accept", set: { removeTags: ["slow"] } });
    const bench = new Bench().open(peer("n-1"), peer("n-2", { export: alike }));
    bench.receive("n-1", apart({ at: [1], tags: "fast slow" }));
    const { announce: told } = bench.drain("n-2");
    expect(told).toHaveLength(1);
    expect(told[0]).not.toHaveProperty("apart");
    expect(namesIn(told)).toEqual([A, B, C, D]);
  });

  test("has places in what is told: of a chunk of which a part is told, hashes have places too", () => {
    const some = policy(
      { name: "not a", then: "reject", match: { routes: [A] } },
      { name: "all else", then: "accept" },
    );
    const bench = new Bench().open(peer("n-1"), peer("n-2", { export: some }));
    bench.receive("n-1", apart({ at: [3], tags: "slow" }));
    const [told] = bench.drain("n-2").announce;
    expect(told?.leaves.map(([first]) => first)).toEqual([1, B, C, D]);
    expect(told?.apart).toEqual({ at: [3], tags: ["slow"] });
  });
});
