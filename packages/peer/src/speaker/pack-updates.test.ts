import { describe, expect, test } from "bun:test";
import { bytes } from "../session/session.fixture.ts";
import type { Announcement, Leaf } from "../wire/message.ts";
import { encodeFrame, FRAME_BYTES, readMessage } from "../wire/read-message.ts";
import { wordsOf } from "../wire/words.ts";
import { packUpdates } from "./pack-updates.ts";

const SIGNATURE = `${"A".repeat(85)}A`;
const MOST_NUMBER = Number.MAX_SAFE_INTEGER;

function announcement(leaves: readonly Leaf[], change: Partial<Announcement> = {}): Announcement {
  const origin = { node: "n", domain: "d", key: bytes("k"), epoch: MOST_NUMBER, expires: MOST_NUMBER, size: 1024 };
  return { path: "d", origin: { ...origin, signature: SIGNATURE }, leaves: [...leaves] as never, ...change };
}

function pack(withdraw: readonly string[], announce: readonly Announcement[], most: number) {
  return [...packUpdates(withdraw, announce, most)];
}

const size = (update: object): number => Buffer.byteLength(encodeFrame({ ...update, seq: MOST_NUMBER } as never));

describe("no frame is larger than the receiver reads (docs/peering-wire.md, Frames)", () => {
  // One, two, three and four bytes of UTF-8 a character, and one that JSON escapes.
  test.each(["x", "é", "京", "😀", '"', "\\"])("names of 255 times %p", (character) => {
    const name = (n: number) => `action:${String(n).padStart(6, "0")}${character.repeat(249)}`;
    const names = Array.from({ length: 5_000 }, (_, n) => name(n));
    const path = Array.from({ length: 64 }, (_, n) => `${"d".repeat(60)}${n}`);
    const chunks = Array.from({ length: 10 }, (_, at) =>
      announcement(
        names.slice(at * 100, at * 100 + 100).map((one): Leaf => [one, bytes("digest")]),
        { path: wordsOf(path), tags: wordsOf(path.slice(0, 32)), localPreference: 4_294_967_295 },
      ),
    );
    for (const most of [FRAME_BYTES.proved, 500_000]) {
      const updates = pack(names, chunks, most);
      for (const update of updates) {
        expect(size(update)).toBeLessThanOrEqual(most);
        expect(readMessage({ ...update, seq: 0 }).ok).toBe(true);
      }
      expect(updates.flatMap(({ withdraw }) => withdraw)).toEqual(names);
      expect(updates.flatMap(({ announce }) => announce)).toEqual(chunks);
    }
  });

  test("many small ones", () => {
    const chunks = Array.from({ length: 400 }, (_, n) => announcement([[`a:${n}`, ""]]));
    const pruned = announcement([["a:1", ""], ...Array.from({ length: 500 }, () => [1, bytes("hash")])] as never);
    for (const update of pack([], [...chunks, pruned], 60_000)) expect(size(update)).toBeLessThanOrEqual(60_000);
  });
});

test("what fits goes into one, withdrawals first; of nothing comes nothing", () => {
  expect(pack([], [], 10_000)).toEqual([]);
  const one = announcement([["a:1", ""]]);
  expect(pack(["a:2"], [one], 10_000)).toEqual([{ type: "update", withdraw: ["a:2"], announce: [one] }]);
});

test("what is too large by itself goes alone, and nothing empty before it", () => {
  const large = announcement([["a:large", ""]]);
  expect(pack([], [large], 100)).toHaveLength(1);
  const updates = pack(["a:2"], [large, large], 100);
  expect(updates.map(({ withdraw, announce }) => [withdraw.length, announce.length])).toEqual([
    [1, 0],
    [0, 1],
    [0, 1],
  ]);
});
