// The part of the conformance suite on trimming: old entries are gone, and nothing else is. A log may keep more than it is
// asked to, so nothing here says where exactly a trim ends.

import { describe, expect } from "bun:test";
import type { Log, NewEntry, RowChange } from "../log.ts";
import { blobIn, long } from "./conformance-blobs.ts";
import { type Check, collect, put, remove } from "./conformance-check.ts";
import { filledTo, hexOf, rootOver } from "./conformance-tree.ts";

/** Trims slice by slice until the log does not go further; answers the oldest entry that is kept. */
async function trimmed(log: Log, before: number, rows: readonly RowChange[] = []): Promise<number> {
  let first = log.first;
  for (;;) {
    const now = await log.trim(before, rows);
    expect(now).toBe(log.first);
    expect(now).toBeGreaterThanOrEqual(first);
    if (now === first) return now;
    first = now;
  }
}

export function describeTrimming(name: string, check: Check, checkReopened: Check): void {
  describe(`${name}: trimming`, () => {
    check("forgets entries before the one that is named, most of them, and none after it", async (log, sample) => {
      const entries = await filledTo(log, sample, 1000);
      const first = await trimmed(log, 600);
      expect(first).toBeLessThanOrEqual(600);
      expect(first).toBeGreaterThan(600 - 256);
      expect([log.first, log.head]).toEqual([first, 1000]);
      const texts = (await log.read(first, { limit: 2000 })).map(({ text }) => text);
      expect(texts).toEqual(entries.slice(first - 1).map(({ text }) => text));
      expect((await log.read(1000, { reverse: true, limit: 2000 })).map(({ seq }) => seq).at(-1)).toBe(first);
      expect(await log.append(1000, sample.group(2))).toEqual({ kind: "ok", head: 1002 });
    });

    check("what is forgotten is neither read nor found", async (log, sample) => {
      const entries = await filledTo(log, sample, 600);
      const first = await trimmed(log, 300);
      for (const from of [0, 1, 2, first - 1]) {
        expect(await log.read(from)).toEqual([]);
        expect(await log.read(from, { reverse: true })).toEqual([]);
      }
      for (const [i, entry] of entries.entries()) {
        expect(await log.find((entry as NewEntry).id)).toBe(i + 1 < first ? undefined : i + 1);
      }
    });

    check("leaves the tree as it was, and lets it grow", async (log, sample) => {
      const entries = await filledTo(log, sample, 600);
      const proof = await log.tree.inclusion(3, 600);
      await trimmed(log, 600);
      expect([log.tree.size, hexOf(await log.tree.root()), await log.tree.inclusion(3, 600)]).toEqual([
        600,
        rootOver(entries),
        proof,
      ]);
      const more = sample.group(300);
      await log.append(600, more);
      expect(hexOf(await log.tree.root())).toBe(rootOver([...entries, ...more]));
      expect(hexOf(await log.tree.root(77))).toBe(rootOver(entries.slice(0, 77)));
    });

    for (const count of [1, 255, 256, 257, 512, 700]) {
      checkReopened(
        `as far as it goes, ${count} entries are opened again as they were`,
        async (log, sample, { reopen }) => {
          const entries = await filledTo(log, sample, count);
          const first = await trimmed(log, count + 1);
          const { lastAt } = log;
          const again = await reopen();
          expect([again.first, again.head, again.lastAt]).toEqual([first, count, lastAt]);
          expect(hexOf(await again.tree.root())).toBe(rootOver(entries));
          expect(await again.find(entries[count - 1]?.id as string)).toBe(count < first ? undefined : count);
          const more = sample.group(3);
          expect(await again.append(count, more)).toEqual({ kind: "ok", head: count + 3 });
          expect(hexOf(await again.tree.root())).toBe(rootOver([...entries, ...more]));
          expect((await (await reopen()).read(count + 1)).map(({ text }) => text)).toEqual(
            more.map(({ text }) => text),
          );
        },
      );
    }

    check(
      "removes the rows that are named, in every slice and where it forgets nothing, and no others",
      async (log, sample) => {
        const row = (key: string) => put("t", key, 1);
        await log.append(0, [sample.entry({ rows: [row("a"), row("b"), row("c"), put("u", "a", 2)] })]);
        await log.trim(1, [remove("t", "a"), remove("t", "never")]);
        expect((await log.rows("t")).map(({ key }) => key)).toEqual(["b", "c"]);
        await filledTo(log, sample, 600);
        await trimmed(log, 300, [remove("t", "b")]);
        expect((await log.rows("t")).map(({ key }) => key)).toEqual(["c", "k"]);
        expect(await collect(log.snapshot(["u"]))).toHaveLength(1);
      },
    );

    check("removes the rows of an entry only once that is forgotten", async (log, sample) => {
      await log.append(0, [sample.entry({ rows: ["a", "b", "c"].map((key) => put("u", key, 1)) })]);
      await filledTo(log, sample, 999);
      const rows = [
        { table: "u", key: "a", entry: 5 },
        { table: "u", key: "b", entry: 990 },
        { table: "u", key: "c" },
      ];
      await log.trim(1, rows);
      expect((await log.rows("u")).map(({ key }) => key)).toEqual(["a", "b"]);
      for (let first = 0; first < log.first; ) {
        first = log.first;
        await log.trim(600, rows);
      }
      expect(log.first).toBeGreaterThan(5);
      expect((await log.rows("u")).map(({ key }) => key)).toEqual(["b"]);
    });

    check("gives back the blobs that only forgotten entries name", async (log, sample) => {
      const [both, old] = [sample.entry({ parts: { b: long("both") } }), sample.entry({ parts: { b: long("old") } })];
      await log.append(0, [both, old]);
      await filledTo(log, sample, 600);
      await log.append(log.head, [sample.entry({ parts: { t: long("both") } })]);
      await trimmed(log, 300);
      expect(await log.blob(blobIn(old).name)).toBeUndefined();
      expect(await log.blob(blobIn(both).name)).toBe(blobIn(both).text);
    });

    check("of what is forgotten already, or of nothing, is none", async (log, sample) => {
      expect(await log.trim(100, [])).toBeLessThanOrEqual(1);
      await filledTo(log, sample, 600);
      const first = await trimmed(log, 300);
      for (const before of [-5, 0, 1, 5, first]) expect(await log.trim(before, [])).toBe(first);
      expect((await log.append(600, [sample.entry({ erases: [{ seq: 1, parts: ["b"] }] })])).kind).toBe("ok");
    });

    check("a tail that begins before what is kept is refused, and one that reads on is not", async (log, sample) => {
      await filledTo(log, sample, 600);
      const abort = new AbortController();
      const reading = log.tail(450, abort.signal)[Symbol.asyncIterator]();
      expect((await reading.next()).value?.seq).toBe(450);
      const first = await trimmed(log, 300);
      expect((await reading.next()).value?.seq).toBe(451);
      const gone = log.tail(1, abort.signal)[Symbol.asyncIterator]().next();
      await expect(gone).rejects.toMatchObject({ code: "HISTORY_GONE" });
      expect((await log.tail(first, abort.signal)[Symbol.asyncIterator]().next()).value?.seq).toBe(first);
      abort.abort();
    });
  });
}
