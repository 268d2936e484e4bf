// What is known of a state whose first entries are gone: against histories that are written out, entry by entry.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { compose } from "../plugin/composition.ts";
import { table } from "../state/table.ts";
import { admits, plugin } from "../testing/start.fixture.ts";
import type { RecordedRow } from "./recorded-rows.ts";
import { ReplayedRows } from "./replayed-rows.ts";
import { restates } from "./restatement.ts";
import { type History, survey } from "./survey.ts";

const composition = compose([admits(), plugin("p", { tables: [table("t"), table("u")] })]);

/** Entries from `first` on, each with what it wrote; `wrote` is what the plugin of the tables is said to have written. */
function kept(
  first: number,
  entries: readonly (readonly [message: string, ...rows: RecordedRow[]])[],
  wrote?: number,
): History {
  const salt = "-".repeat(22);
  const trace = JSON.stringify({ verdicts: [{ plugin: "p", kind: "next", wrote }] });
  const stored = entries.map(([message, ...rows], at) => ({
    seq: first + at,
    text: `{"id":"m-${at}","message":"${message}","verdict":"done","r":"digest","t":"digest"}\nr${salt}${JSON.stringify(rows)}\nt${salt}${trace}`,
  }));
  return {
    first,
    head: first + entries.length - 1,
    read: (from, { limit = 1000 } = {}) => stored.filter(({ seq }) => seq >= from).slice(0, limit),
    rows: () => [],
    blob: () => undefined,
  };
}

test("every table that was written to is found, but those that no decision reads", async () => {
  const seen = await survey(
    kept(1, [
      ["a.b", ["t", "k", 1], ["key", "k", 1]],
      ["a.b", ["u", "k"], ["outcome", "k", 1]],
    ]),
    composition,
  );
  expect(seen.tables.toSorted()).toEqual(["t", "u"]);
  expect([seen.before.whole, seen.before.knows("t", "k"), [...seen.before.rows("t")]]).toEqual([true, true, []]);
});

describe("of a log whose beginning is gone", () => {
  const log = kept(5, [
    ["a.b", ["t", "written", "new"]],
    ["a.b", ["t", "gone"], ["u", "k", 1]],
    [
      "log.compact",
      ["pipeline", "1", {}],
      ["t", "kept", "old"],
      ["t", "written", "new"],
      ["u", "k", 1],
      ["u", "other", 2],
    ],
    ["a.b", ["t", "kept", "later"]],
  ]);

  test("rows that were not written before they were restated were so all the time; of the others nobody knows", async () => {
    const { before } = await survey(log, composition);
    expect(before.get("t", "kept")).toBe("old");
    expect(before.get("u", "other")).toBe(2);
    const known = (table: string, ...keys: string[]) => keys.map((key) => before.knows(table, key));
    expect(known("t", "kept", "written", "gone", "never")).toEqual([true, false, false, true]);
    expect(known("u", "other", "k")).toEqual([true, false]);
    expect([before.knowsAll("t"), before.knowsAll("v"), before.whole]).toEqual([false, true, false]);
  });

  test("each is known from its next write on, and all of them from the restating on", async () => {
    const { before } = await survey(log, composition);
    before.apply([["t", "written", "new"]]);
    expect([before.knows("t", "written"), before.knowsAll("t")]).toEqual([true, false]);
    before.apply([["t", "gone"]]);
    expect([before.knows("t", "gone"), before.get("t", "gone"), before.knowsAll("t")]).toEqual([true, undefined, true]);
    expect(before.whole).toBe(false);
    before.restate([["t", "kept", "old"]]);
    expect([before.whole, before.get("u", "other")]).toEqual([true, undefined]);
  });

  test("what the compaction itself wrote was not there before; where that cannot be told, nobody is sure", async () => {
    const owed = ["effect", "e-1", { seq: 6, kind: "trim" }] as const;
    const rows: RecordedRow[] = [
      ["pipeline", "1", {}],
      ["effect", "e-0", { seq: 3 }],
      ["t", "a", 1],
      ["t", "b", 1],
    ];
    const before = async (wrote: number, ...own: RecordedRow[]) =>
      (await survey(kept(5, [["a.b"], ["log.compact", ...rows, ...own, owed]], wrote), composition)).before;
    const rewritten = await before(1, ["t", "a", 2]);
    expect([rewritten.get("t", "a"), rewritten.get("t", "b"), rewritten.whole]).toEqual([1, 1, true]);
    expect([rewritten.get("effect", "e-0"), rewritten.get("effect", "e-1")]).toEqual([{ seq: 3 }, undefined]);
    const made = await before(2, ["t", "a", 2], ["u", "new", 1]);
    const known = [made.knows("t", "a"), made.knows("t", "b"), made.knows("u", "new"), made.knows("effect", "e-0")];
    expect(known).toEqual([true, false, false, true]);
  });

  test("a compaction that was refused, or found nothing to forget, restates nothing", () => {
    const rows: RecordedRow[] = [["pipeline", "1", {}]];
    expect(restates({ message: "log.compact", verdict: "done" }, rows)).toBe(true);
    expect(restates({ message: "log.compact", verdict: "refused" }, [])).toBe(false);
    expect(restates({ message: "log.compact", verdict: "done" }, [["key", "k", {}]])).toBe(false);
    expect(restates({ message: "pipeline.adopt", verdict: "done" }, rows)).toBe(false);
  });
});

test("what is known is right, and what is not known was written meanwhile, whatever was written", async () => {
  const write = fc.tuple(fc.constantFrom("t", "u"), fc.constantFrom("a", "b", "c"), fc.option(fc.nat(9)));
  const row = ([table, key, value]: [string, string, number | null]): RecordedRow =>
    value === null ? [table, key] : [table, key, value];
  await fc.assert(
    fc.asyncProperty(fc.array(write), fc.array(write), async (before, since) => {
      const model = new ReplayedRows();
      model.apply(before.map(row));
      const after = new ReplayedRows();
      after.apply([...before, ...since].map(row));
      const all = ["t", "u"].flatMap((table) =>
        [...after.rows(table)].map(([key, value]): RecordedRow => [table, key, value]),
      );
      const found = (
        await survey(
          kept(9, [
            ...since.map((one) => ["a.b", row(one)] as const),
            ["log.compact", ["pipeline", "1", {}], ...all] as const,
          ]),
          composition,
        )
      ).before;
      for (const table of ["t", "u"]) {
        for (const key of ["a", "b", "c"]) {
          const written = since.some(([one, other]) => one === table && other === key);
          expect(found.knows(table, key)).toBe(!written);
          if (!written) expect(found.get(table, key)).toEqual(model.get(table, key));
        }
      }
    }),
  );
});

describe("rows that were erased", () => {
  test("are in doubt, but those written since, until the erasure that saw them written over", () => {
    const replayed = new ReplayedRows();
    replayed.apply([
      ["t", "a", 1],
      ["t", "b", 1],
      ["u", "a", 1],
    ]);
    replayed.lose("t", 7);
    expect([replayed.knows("t", "a"), replayed.knowsAll("t"), replayed.knows("u", "a"), replayed.whole]).toEqual([
      ...[false, false, true, false],
    ]);
    replayed.apply([["t", "a", 2]]);
    expect([replayed.knows("t", "a"), replayed.knows("t", "b")]).toEqual([true, false]);
    // What another entry wrote after that is in doubt as well.
    replayed.lose("t", 9);
    expect(replayed.knows("t", "a")).toBe(false);
    replayed.recover(7);
    expect(replayed.knowsAll("t")).toBe(false);
    replayed.recover(9);
    expect([replayed.whole, replayed.get("t", "a"), replayed.get("t", "b")]).toEqual([true, 2, 1]);
  });
});
