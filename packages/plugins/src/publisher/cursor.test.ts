// Cursors, and which of them a log that was restored still knows.

import { describe, expect, test } from "bun:test";
import { cursorAt, entryOfCursor, placeOf } from "./cursor.ts";

const log = "l-a";
/** Restored to 50 entries, then to 30, then to 60. */
const restorations = [
  { epoch: 3, size: 50 },
  { epoch: 5, size: 30 },
  { epoch: 9, size: 60 },
];
const reader = (restored: number, revision = 100) => ({
  ...{ revision, first: 1, proofs: { log, restorations: restorations.slice(0, restored) } },
});

test.each([
  ["7.l-a", { entry: 7, log, start: 0 }],
  ["70.l-a.9", { entry: 70, log, start: 9 }],
  ["07.l-a", undefined],
  ["7.l-a.", undefined],
  ["7.l-a.0", undefined],
  ["7.l-a.09", undefined],
  ["7.l-a.1.2", undefined],
  ["7.l-a\n", undefined],
  [`${"9".repeat(16)}.l-a`, undefined],
])("%j is a place, or none", (text, place) => {
  expect(placeOf(text)).toEqual(place as never);
});

test("what came before every restore has the cursor that it always had, and what came after one has that one's", () => {
  const { proofs } = reader(3);
  expect([20, 30, 31, 50, 60, 61].map((entry) => cursorAt(entry, proofs))).toEqual([
    ...["20.l-a", "30.l-a", "31.l-a.5", "50.l-a.5", "60.l-a.5", "61.l-a.9"],
  ]);
  expect(cursorAt(61, reader(0).proofs)).toBe("61.l-a");
});

describe("a cursor is read on from", () => {
  test("where the log has that entry still, however often it was restored", () => {
    for (const text of ["20.l-a", "30.l-a"])
      expect(entryOfCursor(text, reader(3))).toBe(placeOf(text)?.entry as number);
    for (const text of ["45.l-a.5", "60.l-a.5", "61.l-a.9"])
      expect(entryOfCursor(text, reader(3))).toBe(placeOf(text)?.entry as number);
  });

  test.each([
    ["61.l-a", 1, "50.l-a.3"],
    ["61.l-a", 3, "30.l-a.9"],
    ["40.l-a", 3, "30.l-a.9"],
    ["61.l-a.3", 2, "30.l-a.5"],
    ["61.l-a.5", 3, "60.l-a.9"],
  ])("not where another has its number (%s after %d): it is told where they part", (text, restored, kept) => {
    expect(entryOfCursor(text, reader(restored))).toMatchObject({ code: "CURSOR_FUTURE", details: { kept } });
    // Nor where it ends before that.
    expect(entryOfCursor(text, reader(restored, 60))).toMatchObject({ code: "CURSOR_FUTURE", details: { kept } });
    // What is left of it is a place.
    expect(entryOfCursor(kept, reader(restored))).toBe(placeOf(kept)?.entry as number);
  });

  test("nor where it knows of no such restore: it was put back, or the cursor is made up", () => {
    for (const text of ["61.l-a.9", "10.l-a.4"]) {
      const refused = entryOfCursor(text, reader(1));
      expect(refused).toMatchObject({ code: "CURSOR_FUTURE", details: { head: "100.l-a.3" } });
      expect(refused).not.toHaveProperty("details.kept");
    }
  });
});
