// The part of the conformance suite on rows: what entries leave in the tables, ranges of them and snapshots.

import { describe, expect } from "bun:test";
import type { StoredRow } from "../log.ts";
import { type Check, collect, put, remove, row } from "./conformance-check.ts";

export function describeRows(name: string, check: Check): void {
  describe(`${name}: rows`, () => {
    check("a row is what the last entry left", async (log, sample) => {
      await log.append(0, [sample.entry({ rows: [put("t", "a", 1), put("u", "a", 2)] })]);
      await log.append(1, [sample.entry({ rows: [put("t", "a", 3), put("t", "b", 4)] })]);
      await log.append(2, [sample.entry({ rows: [remove("t", "b"), remove("t", "never")] })]);
      expect(await log.row("t", "a")).toBe("3");
      expect(await log.row("u", "a")).toBe("2");
      expect(await log.row("t", "b")).toBeUndefined();
      expect(await log.row("nothing", "a")).toBeUndefined();
    });

    check("within a group the last change of a row counts, in one entry or over several", async (log, sample) => {
      await log.append(0, [sample.entry({ rows: [put("t", "was", 0)] })]);
      await log.append(1, [
        sample.entry({ rows: [put("t", "a", 1), put("t", "a", 2), put("t", "gone", 1), put("t", "was", 1)] }),
        sample.entry({ rows: [put("t", "a", 3), remove("t", "gone"), remove("t", "was"), remove("t", "back")] }),
        sample.entry({ rows: [put("t", "back", 4)] }),
      ]);
      expect(await log.rows("t")).toEqual([row("t", "a", 3), row("t", "back", 4)]);
    });

    check(
      "a row that a group puts and removes again leaves nothing, whatever became of it before and after",
      async (log, sample) => {
        const born = (key: string, value: number) => ({ ...put("t", key, value), fresh: true });
        await log.append(0, [sample.entry({ rows: [born("a", 1), born("b", 1), born("c", 1), remove("t", "a")] })]);
        expect(await log.rows("t")).toEqual([row("t", "b", 1), row("t", "c", 1)]);
        await log.append(1, [
          sample.entry({ rows: [remove("t", "b"), born("b", 2), remove("t", "b")] }),
          sample.entry({ rows: [put("t", "c", 2), remove("t", "c"), born("a", 3), remove("t", "a"), born("a", 4)] }),
        ]);
        expect(await log.rows("t")).toEqual([row("t", "a", 4)]);
        expect(await log.row("t", "b")).toBeUndefined();
      },
    );

    check("come by ascending key in code unit order, with any characters in them", async (log, sample) => {
      const keys = [
        "",
        "\0",
        "a",
        "a\0b",
        "ab",
        "B",
        "é",
        "\ud7ff",
        "\ud83d",
        "🦜",
        "\udfff",
        "\ue000",
        "\ue001\ue000",
        "\ufffd",
      ];
      const shuffled = [...keys.slice(7), ...keys.slice(0, 7)].reverse();
      await log.append(0, [sample.entry({ rows: shuffled.map((key) => put("t", key, key.length)) })]);
      const expected = [...keys].sort();
      expect((await log.rows("t")).map((one) => one.key)).toEqual(expected);
      for (const [i, after] of expected.entries()) {
        expect((await log.rows("t", { after })).map((one) => one.key)).toEqual(expected.slice(i + 1));
        expect(await log.row("t", after)).toBe(String(after.length));
      }
    });

    check("of a range that was read before are those of now", async (log, sample) => {
      await log.append(0, [sample.entry({ rows: [put("t", "a", 1), put("t", "b", 2)] })]);
      await log.rows("t");
      await log.append(1, [sample.entry({ rows: [remove("t", "a")] })]);
      expect(await log.rows("t")).toEqual([row("t", "b", 2)]);
      await log.append(2, [sample.entry({ rows: [put("t", "B", 3)] })]);
      expect(await log.rows("t")).toEqual([row("t", "B", 3), row("t", "b", 2)]);
    });

    check("come in ranges: after a key, there or not, and at most so many", async (log, sample) => {
      await log.append(0, [sample.entry({ rows: ["a", "c", "e", "g"].map((key) => put("t", key, 0)) })]);
      await log.append(1, [sample.entry({ rows: [put("s", "b", 0), put("u", "b", 0)] })]);
      const keys = async (range: { after?: string; limit?: number }) =>
        (await log.rows("t", range)).map((one) => one.key);
      expect(await keys({ limit: 2 })).toEqual(["a", "c"]);
      expect(await keys({ after: "c" })).toEqual(["e", "g"]);
      expect(await keys({ after: "d", limit: 1 })).toEqual(["e"]);
      expect(await keys({ after: "g" })).toEqual([]);
      expect(await keys({ limit: 0 })).toEqual([]);
      expect(await log.rows("none")).toEqual([]);
    });

    check("are at most 1,000 unless told, and none is skipped in paging", async (log, sample) => {
      const rows = Array.from({ length: 2345 }, (_, i) => put("t", String(i).padStart(5, "0"), i));
      await log.append(0, [sample.entry({ rows })]);
      const paged: StoredRow[] = [];
      for (
        let page = await log.rows("t");
        page.length > 0;
        page = await log.rows("t", { after: (page.at(-1) as StoredRow).key })
      ) {
        expect(page.length).toBeLessThanOrEqual(1000);
        paged.push(...page);
      }
      expect(paged.map((one) => one.json)).toEqual(rows.map((one) => one.json as string));
      expect((await collect(log.snapshot(["t"]))).length).toBe(2345);
    });
  });

  describe(`${name}: snapshot`, () => {
    check("gives every row of the named tables, once, and of no other", async (log, sample) => {
      await log.append(0, [
        sample.entry({ rows: [put("t", "b", 1), put("t", "a", 2), put("u", "x", 3), put("v", "y", 4)] }),
      ]);
      expect(await collect(log.snapshot(["u", "t", "none", "u"]))).toEqual([
        row("u", "x", 3),
        row("t", "a", 2),
        row("t", "b", 1),
      ]);
      expect(await collect(log.snapshot([]))).toEqual([]);
    });

    check("never shows rows of different heads", async (log, sample) => {
      await log.append(0, [sample.entry({ rows: [put("t", "a", 1), put("u", "a", 1)] })]);
      const rows: StoredRow[] = [];
      const reading = (async () => {
        for await (const one of log.snapshot(["t", "u"])) {
          rows.push(one);
          if (log.head === 1) await log.append(1, [sample.entry({ rows: [put("t", "a", 2), put("u", "a", 2)] })]);
        }
      })();
      // A log may refuse to go on, but not mix.
      await reading.catch(() => {});
      expect(new Set(rows.map((one) => one.json))).toEqual(new Set(["1"]));
    });
  });
}
