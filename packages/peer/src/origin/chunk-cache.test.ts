import { describe, expect, test } from "bun:test";
import { verifySignature } from "../proof/identity.ts";
import type { Leaf } from "../wire/message.ts";
import type { Assessment } from "./assess.ts";
import type { Chunk } from "./chunk.ts";
import { ChunkCache } from "./chunk-cache.ts";
import { readTree } from "./merkle.ts";
import { DIGEST, identity, origin, routesOf, stranger } from "./origin.fixture.ts";
import { disclose, signChunks } from "./sign.ts";

const [chunk] = signChunks(routesOf(64), origin, identity.sign) as [Chunk];

/** As it comes off the wire: nothing of it is an object or a string that is here already. */
const arriving = (chunk: Chunk, keep?: readonly number[]) => {
  const names = new Set((keep ?? [...routesOf(64).keys()]).map((at) => routesOf(64)[at]![0]));
  return JSON.parse(JSON.stringify({ origin: chunk.claim, leaves: disclose(chunk, names) }));
};
const intern = (cache: ChunkCache, announcement: Parameters<ChunkCache["intern"]>[0]): Chunk => {
  const reading = cache.intern(announcement);
  if (!reading.ok) throw new Error(reading.text);
  return reading.chunk;
};
const leavesOf = (chunk: Chunk) => chunk.leaves.filter(([name]) => typeof name === "string");

function counting(changes: Partial<Assessment> = {}) {
  const counts = { verified: 0 };
  const context: Assessment = {
    wall: 9000,
    keysOf: () => [identity.publicKey],
    epochOf: () => undefined,
    tolerance: 60,
    maxLifetime: 3600,
    verify: (...signature) => {
      counts.verified += 1;
      return verifySignature(...signature);
    },
    ...changes,
  };
  return { counts, context };
}

describe("a chunk that several peers announce", () => {
  test("is one object", () => {
    const cache = new ChunkCache();
    const first = intern(cache, arriving(chunk));
    expect(first).toMatchObject(chunk);
    for (let peer = 0; peer < 3; peer += 1) expect(intern(cache, arriving(chunk))).toBe(first);
    expect(cache.counts.chunks).toBe(1);
  });

  test("is verified once", () => {
    const cache = new ChunkCache();
    const { counts, context } = counting();
    for (let peer = 0; peer < 4; peer += 1) {
      expect(cache.assess(intern(cache, arriving(chunk)), context).kind).toBe("pinned");
    }
    expect(counts.verified).toBe(1);
  });

  test("is asked for its time, its epoch and its pins each time", () => {
    const cache = new ChunkCache();
    const { counts, context } = counting();
    const here = intern(cache, arriving(chunk));
    cache.retain(here);
    const why = (changes: Partial<Assessment>) => cache.assess(here, { ...context, ...changes });
    expect(why({}).kind).toBe("pinned");
    expect(why({ wall: 10_060 })).toMatchObject({ why: "expired" });
    expect(why({ epochOf: () => 8 })).toMatchObject({ why: "old-epoch" });
    expect(why({ keysOf: () => [stranger.publicKey] })).toMatchObject({ why: "foreign-key" });
    expect(why({ keysOf: () => undefined }).kind).toBe("unpinned");
    expect(counts.verified).toBe(1);
  });

  test("says what each of them told, and shares leaves that both did", () => {
    const cache = new ChunkCache();
    const { counts, context } = counting();
    const whole = intern(cache, arriving(chunk));
    const part = intern(cache, arriving(chunk, [3, 5, 60]));
    expect(leavesOf(part)).toEqual([3, 5, 60].map((at) => routesOf(64)[at]!));
    for (const leaf of leavesOf(part)) expect(whole.leaves).toContain(leaf);
    expect(intern(cache, arriving(chunk, [3, 5, 60]))).toBe(part);
    for (const each of [whole, part]) expect(cache.assess(each, context).kind).toBe("pinned");
    expect(counts.verified).toBe(1);
  });

  test("shares leaves also where the smaller part came first", () => {
    const cache = new ChunkCache();
    const part = intern(cache, arriving(chunk, [3, 5, 60]));
    const whole = intern(cache, arriving(chunk));
    for (const leaf of leavesOf(part)) expect(whole.leaves).toContain(leaf);
  });
});

describe("what only looks like a chunk that is here", () => {
  test("one that is signed by nobody does not get its verdict", () => {
    const cache = new ChunkCache();
    const { context } = counting();
    cache.assess(intern(cache, arriving(chunk)), context);
    const forged = arriving(chunk);
    forged.leaves[5][0] = "action:report.00005x";
    expect(cache.assess(intern(cache, forged), context)).toMatchObject({ why: "bad-signature" });
    const relabelled = arriving(chunk);
    relabelled.origin.epoch = 8;
    expect(cache.assess(intern(cache, relabelled), context)).toMatchObject({ why: "bad-signature" });
    expect(cache.assess(intern(cache, arriving(chunk)), context).kind).toBe("pinned");
  });

  test("a forgery that came first does not spoil the chunk that it was made from", () => {
    const cache = new ChunkCache();
    const { context } = counting();
    const forged = arriving(chunk);
    forged.leaves[0][1] = "";
    forged.leaves[1][1] = "";
    expect(cache.assess(intern(cache, forged), context)).toMatchObject({ why: "bad-signature" });
    const here = intern(cache, arriving(chunk));
    expect(here).toMatchObject(chunk);
    expect(cache.assess(here, context).kind).toBe("pinned");
  });

  test("of an origin that signed one name twice, each telling keeps its own leaf", () => {
    const cache = new ChunkCache();
    const [plain, digested]: Leaf[] = [
      ["action:a", ""],
      ["action:a", DIGEST],
    ];
    const hashOf = (leaf: Leaf) => (readTree([leaf], 1) as { root: string }).root;
    const claim = { ...chunk.claim, size: 2 };
    const first = intern(cache, { origin: claim, leaves: [plain!, [1, hashOf(digested!)]] });
    const second = intern(cache, { origin: claim, leaves: [[1, hashOf(plain!)], digested!] });
    expect(second.root).toBe(first.root);
    expect(readTree(second.leaves, 2)).toEqual({ ok: true, root: first.root });
    expect(leavesOf(second)).toEqual([digested!]);
  });

  test("an unreadable one is told so, and nothing is kept of it", () => {
    const cache = new ChunkCache();
    const cut = arriving(chunk);
    cut.leaves.pop();
    expect(cache.intern(cut)).toEqual({ ok: false, text: "fewer leaves than the chunk has" });
    expect(cache.counts).toEqual({ chunks: 0, idle: 0 });
  });
});

describe("memory", () => {
  const chunks = signChunks(routesOf(1000), { ...origin, chunkSize: 10 }, identity.sign);
  const off = (chunk: Chunk) => JSON.parse(JSON.stringify({ origin: chunk.claim, leaves: chunk.leaves }));

  test("a chunk that somebody keeps stays, and its twin is found", () => {
    const cache = new ChunkCache(50);
    const kept = intern(cache, off(chunks[0]!));
    cache.retain(kept, 10);
    for (const chunk of chunks.slice(1)) intern(cache, off(chunk));
    cache.release(kept, 9);
    expect(intern(cache, off(chunks[0]!))).toBe(kept);
    expect(cache.counts.idle).toBeGreaterThanOrEqual(5);
    expect(cache.counts.idle).toBeLessThanOrEqual(6);
    expect(cache.counts.chunks).toBe(cache.counts.idle + 1);
  });

  test("one that nobody keeps any more stays for a while, for a session that comes back", () => {
    const cache = new ChunkCache(50);
    const kept = intern(cache, off(chunks[0]!));
    cache.retain(kept, 10);
    cache.release(kept, 10);
    expect(intern(cache, off(chunks[0]!))).toBe(kept);
    for (const chunk of chunks.slice(1, 8)) intern(cache, off(chunk));
    expect(intern(cache, off(chunks[0]!))).not.toBe(kept);
  });

  test("nothing is left of chunks that all were released", () => {
    const cache = new ChunkCache(0);
    const here = chunks.map((chunk) => intern(cache, off(chunk)));
    for (const chunk of here) cache.retain(chunk);
    for (const chunk of here) cache.release(chunk);
    expect(cache.counts.chunks).toBeLessThanOrEqual(1);
  });

  test("of what is rejected nothing stays: a flood of it costs its sender, and us no memory", () => {
    const cache = new ChunkCache();
    const { context } = counting({ wall: 20_000 });
    for (const chunk of chunks)
      expect(cache.assess(intern(cache, off(chunk)), context)).toMatchObject({ why: "expired" });
    expect(cache.counts).toEqual({ chunks: 0, idle: 0 });
  });

  test("so many disclosures of one chunk, or claims of one signature, are kept, and more are still read", () => {
    const cache = new ChunkCache();
    for (let at = 0; at < 64; at += 1) {
      expect(leavesOf(intern(cache, arriving(chunk, [at])))).toEqual([routesOf(64)[at]!]);
      const relabelled = arriving(chunk);
      relabelled.origin.epoch = 100 + at;
      expect(intern(cache, relabelled).claim.epoch).toBe(100 + at);
    }
    expect(cache.counts.chunks).toBe(16);
  });

  test("chunks of no cache, such as a node's own, are nobody's to keep", () => {
    const cache = new ChunkCache();
    cache.retain(chunk);
    cache.release(chunk);
    cache.release(chunk);
    expect(cache.counts).toEqual({ chunks: 0, idle: 0 });
  });

  test("to release more than was retained is a bug, and says so", () => {
    const cache = new ChunkCache();
    const here = intern(cache, off(chunks[0]!));
    expect(() => cache.release(here)).toThrow("more often");
  });
});

test("a peer that tells a chunk in a thousand parts has no more looked at for each of them than one other part (it was all 16)", () => {
  const cache = new ChunkCache();
  const routes = routesOf(1024);
  const [large] = signChunks(routes, { ...origin, chunkSize: 1024 }, identity.sign) as [Chunk];
  const names = routes.map(([name]) => name);
  let reads = 0;
  const watched = <T extends object>(list: T): T =>
    new Proxy(list, {
      get: (target, key, receiver) => {
        reads += 1;
        return Reflect.get(target, key, receiver);
      },
    });
  const partOf = (keep: readonly string[]) => JSON.parse(JSON.stringify(disclose(large, new Set(keep))));
  for (let part = 0; part < 16; part += 1) {
    const leaves = watched(partOf(names.filter((_, at) => at !== part)));
    cache.retain(intern(cache, { origin: large.claim, leaves }));
  }
  reads = 0;
  intern(cache, { origin: large.claim, leaves: partOf(names.slice(-1)) });
  expect(reads).toBeLessThan(2000);
});

test("another part of a chunk shares its leaves with the one that tells most", () => {
  const cache = new ChunkCache();
  for (const keep of [[1], [...Array(60).keys()], [2, 3]]) cache.retain(intern(cache, arriving(chunk, keep)));
  const large = leavesOf(intern(cache, arriving(chunk, [...Array(60).keys()])));
  const part = leavesOf(intern(cache, arriving(chunk, [0, 7, 59, 61])));
  expect(part.map((leaf) => large.includes(leaf))).toEqual([true, true, true, false]);
});
