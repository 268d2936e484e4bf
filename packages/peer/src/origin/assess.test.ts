import { describe, expect, test } from "bun:test";
import { verifySignature } from "../proof/identity.ts";
import { type Assessment, assessChunk, voidFrom } from "./assess.ts";
import type { Chunk } from "./chunk.ts";
import { identity, origin, routesOf, stranger } from "./origin.fixture.ts";
import { signChunks } from "./sign.ts";

const [chunk] = signChunks(routesOf(10), origin, identity.sign) as [Chunk];
const context: Assessment = {
  wall: 9000,
  keysOf: () => [identity.publicKey],
  epochOf: () => undefined,
  tolerance: 60,
  maxLifetime: 3600,
  verify: verifySignature,
};
const verdict = (chunk: Chunk, changes: Partial<Assessment> = {}) => {
  const { kind, ...rest } = assessChunk(chunk, { ...context, ...changes });
  return "why" in rest ? rest.why : kind;
};
const claimed = (changes: Partial<Chunk["claim"]>): Chunk => ({ ...chunk, claim: { ...chunk.claim, ...changes } });
const never = () => {
  throw new Error("verified for nothing");
};

test("a chunk that its origin signed with a pinned key is pinned", () => {
  expect(verdict(chunk)).toBe("pinned");
});

test("RFC 6811 §2: of an origin that nobody told us of, the signature says nothing for or against", () => {
  expect(verdict(chunk, { keysOf: () => undefined })).toBe("unpinned");
  expect(verdict(chunk, { keysOf: () => [] })).toBe("unpinned");
});

test("while a key is rotated, the current one and the next are both its origin's", () => {
  expect(verdict(chunk, { keysOf: () => [stranger.publicKey, identity.publicKey] })).toBe("pinned");
});

test("another key than the pinned one is foreign, however well it signs", () => {
  const [forged] = signChunks(routesOf(10), { ...origin, key: stranger.publicKey }, stranger.sign);
  expect(verdict(forged!)).toBe("foreign-key");
  expect(verdict(forged!, { keysOf: () => undefined })).toBe("unpinned");
});

describe("whatever is changed under the signature makes it bad", () => {
  const [other] = signChunks(routesOf(11), origin, identity.sign);
  const tampered: Record<string, Chunk> = {
    node: claimed({ node: "n-osaka" }),
    domain: claimed({ domain: "korea" }),
    epoch: claimed({ epoch: 8 }),
    expires: claimed({ expires: 10_001 }),
    size: claimed({ size: 9 }),
    "the key": claimed({ key: stranger.publicKey }),
    "a route": { ...chunk, root: other!.root },
    "the signature, for another chunk's": claimed({ signature: other!.claim.signature }),
  };
  for (const [what, forged] of Object.entries(tampered)) {
    test(what, () => {
      expect(verdict(forged, { keysOf: () => undefined })).toBe("bad-signature");
    });
  }
});

describe("a claim's time", () => {
  test("it is void once it has expired by our clock and the tolerance, and not a second before", () => {
    expect(voidFrom(chunk.claim, 60)).toBe(10_060);
    expect(verdict(chunk, { wall: 10_059 })).toBe("pinned");
    expect(verdict(chunk, { wall: 10_060, verify: never })).toBe("expired");
  });

  test("none may promise for longer than we let anybody", () => {
    expect(verdict(chunk, { wall: 10_000 - 3660 })).toBe("pinned");
    expect(verdict(chunk, { wall: 10_000 - 3661, verify: never })).toBe("too-long");
  });

  test("what was signed before the origin's present incarnation is void, and not what is of it", () => {
    expect(verdict(chunk, { epochOf: () => 8, verify: never })).toBe("old-epoch");
    expect(verdict(chunk, { epochOf: () => 7 })).toBe("pinned");
    expect(verdict(chunk, { epochOf: () => 6 })).toBe("pinned");
  });

  test("epochs are asked for by key, so that a stranger's does not void the origin's", () => {
    const epochs = new Map([[`n-tokyo ${stranger.publicKey}`, 1_000_000]]);
    expect(verdict(chunk, { epochOf: (node, key) => epochs.get(`${node} ${key}`) })).toBe("pinned");
  });
});

test("a refusal says whose chunk it is and what is wrong with it", () => {
  expect(assessChunk(chunk, { ...context, epochOf: () => 9 })).toEqual({
    kind: "rejected",
    why: "old-epoch",
    text: "n-tokyo: of epoch 7, and it has started again since (9)",
  });
});
