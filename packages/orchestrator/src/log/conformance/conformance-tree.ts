// The part of the conformance suite on the tree, beside a recursive computation in the words of RFC 6962 §2.1 over what was
// appended, which shares nothing with any implementation.

import { describe, expect } from "bun:test";
import { createHash } from "node:crypto";
import type { Log, NewEntry } from "../log.ts";
import { type Check, put, type Sample } from "./conformance-check.ts";
import { randomFrom } from "./sample.ts";

const sha256 = (...parts: (Buffer | string)[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** The leaf of an entry: its first line. */
function leafOf({ text }: Pick<NewEntry, "text">): Buffer {
  return sha256("\0", text.split("\n")[0] as string);
}

function below(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** MTH, RFC 6962 §2.1 */
function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha256("");
  if (leaves.length === 1) return leaves[0] as Buffer;
  const k = below(leaves.length);
  return sha256("\u0001", rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

/** PATH, RFC 6962 §2.1.1 */
function pathOf(m: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length === 1) return [];
  const k = below(leaves.length);
  return m < k
    ? [...pathOf(m, leaves.slice(0, k)), rootOf(leaves.slice(k))]
    : [...pathOf(m - k, leaves.slice(k)), rootOf(leaves.slice(0, k))];
}

/** SUBPROOF, RFC 6962 §2.1.2 */
function subproofOf(m: number, leaves: readonly Buffer[], b: boolean): Buffer[] {
  if (m === leaves.length) return b ? [] : [rootOf(leaves)];
  const k = below(leaves.length);
  return m <= k
    ? [...subproofOf(m, leaves.slice(0, k), b), rootOf(leaves.slice(k))]
    : [...subproofOf(m - k, leaves.slice(k), false), rootOf(leaves.slice(0, k))];
}

export const hexOf = (hash: Uint8Array): string => Buffer.from(hash).toString("hex");
const hexes = (hashes: readonly Uint8Array[]) => hashes.map(hexOf);

/** The root over these entries' headers. */
export function rootOver(entries: readonly Pick<NewEntry, "text">[]): string {
  return hexOf(rootOf(entries.map(leafOf)));
}

/** Groups of random sizes until the log has `count` entries; answers the entries. */
export async function filledTo(log: Log, sample: Sample, count: number): Promise<NewEntry[]> {
  const random = randomFrom(3);
  const entries: NewEntry[] = [];
  while (entries.length < count) {
    const size = Math.min(1 + Math.floor(random() * 40), count - entries.length);
    const group = Array.from({ length: size }, () =>
      sample.entry({ parts: { b: '{"data":"é"}', t: "{}" }, rows: [put("t", "k", entries.length)] }),
    );
    await log.append(log.head, group);
    entries.push(...group);
  }
  return entries;
}

export function describeTree(name: string, check: Check, checkReopened: Check): void {
  describe(`${name}: tree`, () => {
    check("of an empty log is the empty tree", async (log) => {
      expect(log.tree.size).toBe(0);
      expect(hexOf(await log.tree.root())).toBe(rootOver([]));
      expect((await log.tree.leaves(0, 10)).length).toBe(0);
    });

    check("has the root over the headers at every head, in groups of any size", async (log, sample) => {
      const entries: NewEntry[] = [];
      for (const size of [1, 3, 250, 2, 1, 255, 300]) {
        const group = sample.group(size);
        await log.append(log.head, group);
        entries.push(...group);
        expect(log.tree.size).toBe(log.head);
        expect(hexOf(await log.tree.root())).toBe(rootOver(entries));
      }
    });

    check("hashes of an entry its first line, whatever is in it, and nothing after it", async (log, sample) => {
      const texts = ["", "no newline", "\n", "é日本🦜\nb", '{"id":"m-1"}\r\nb', "\ufeff\n\n", "x".repeat(70_000)];
      await log.append(
        0,
        [...texts, ""].map((text) => ({ ...sample.entry(), text })),
      );
      // Alone too: what tells entries apart is then not there.
      for (const text of texts) await log.append(log.head, [{ ...sample.entry(), text }]);
      const expected = [...texts, "", ...texts].map((text) => leafOf({ text }));
      expect(Buffer.from(await log.tree.leaves(0, 100)).equals(Buffer.concat(expected))).toBe(true);
      expect(hexOf(await log.tree.root())).toBe(hexOf(rootOf(expected)));
    });

    check("has any older root, and proves leaves and beginnings as RFC 6962 does", async (log, sample) => {
      const leaves = (await filledTo(log, sample, 700)).map(leafOf);
      const random = randomFrom(5);
      for (let i = 0; i < 60; i++) {
        const to = i < 6 ? [1, 2, 255, 256, 257, 700][i] : 1 + Math.floor(random() * 700);
        const size = to as number;
        const from = 1 + Math.floor(random() * size);
        const index = Math.floor(random() * size);
        const until = leaves.slice(0, size);
        expect(hexOf(await log.tree.root(size))).toBe(hexOf(rootOf(until)));
        expect(hexes(await log.tree.inclusion(index, size))).toEqual(hexes(pathOf(index, until)));
        expect(hexes(await log.tree.consistency(from, size))).toEqual(
          hexes(from === size ? [] : subproofOf(from, until, true)),
        );
        const some = await log.tree.leaves(index, 300);
        expect(Buffer.from(some).equals(Buffer.concat(leaves.slice(index, index + 300)))).toBe(true);
      }
      expect(await log.tree.consistency(0, 700)).toEqual([]);
    });

    check("refuses what lies past the end", async (log, sample) => {
      await log.append(0, sample.group(5));
      for (const wrong of [
        async () => log.tree.root(6),
        async () => log.tree.inclusion(5, 5),
        async () => log.tree.inclusion(0, 6),
        async () => log.tree.consistency(4, 6),
        async () => log.tree.consistency(5, 4),
      ]) {
        await expect(wrong()).rejects.toThrow(RangeError);
      }
    });

    check("is what it was after a group that was refused, and grows on", async (log, sample) => {
      const entries = await filledTo(log, sample, 250);
      const refused = [...sample.group(300), { ...sample.entry(), text: "\0" }];
      await expect((async () => log.append(250, refused))()).rejects.toThrow();
      expect([log.tree.size, hexOf(await log.tree.root())]).toEqual([250, rootOver(entries)]);
      const more = sample.group(300);
      await log.append(250, more);
      expect(hexOf(await log.tree.root())).toBe(rootOver([...entries, ...more]));
    });

    for (const count of [1, 255, 256, 257, 600]) {
      checkReopened(
        `of ${count} entries is the same after an opening, and grows on`,
        async (log, sample, { reopen }) => {
          const entries = await filledTo(log, sample, count);
          const again = await reopen();
          expect([again.tree.size, hexOf(await again.tree.root())]).toEqual([count, rootOver(entries)]);
          const more = sample.group(300);
          await again.append(count, more);
          expect(hexOf(await again.tree.root())).toBe(rootOver([...entries, ...more]));
        },
      );
    }
  });
}
