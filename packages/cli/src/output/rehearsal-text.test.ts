// A rehearsal as people read it: a line a difference, and no more of them than they asked for.

import { expect, test } from "bun:test";
import type { Difference, Rehearsal, Undecidable } from "@capstan/orchestrator";
import { MOST_LINES, rehearsalText } from "./rehearsal-text.ts";

const difference = (entry: number, over: Partial<Difference> = {}): Difference => ({
  ...{ entry, id: `m-${entry}`, message: "tea.drink", principal: "bob" },
  was: { verdict: "done" },
  now: { verdict: "refused", code: "AWFUL", plugin: "tea", clause: "anything but mint" },
  ...over,
});
const undecidable = (entry: number, reason: string): Undecidable => ({ ...difference(entry), reason });

function report(over: Partial<Rehearsal> = {}): Rehearsal {
  const { differences = [], undecidables = [] } = over;
  const counts = { differ: differences.length, undecidable: undecidables.length };
  return {
    ...{ messages: 1200, compared: 1200, same: 1199, skipped: 1, notes: [], differences, undecidables, ...counts },
    state: { before: "sha256-1", after: "sha256-1", replayed: "sha256-1", same: true },
    entries: { from: 1, to: 1200 },
    ...over,
  };
}

test("each difference says what was, what would be, by whom and by which clause; what is somebody else's is escaped", () => {
  const held = difference(12, {
    principal: "e\u001bve",
    was: { verdict: "held", plugin: "approval" },
    now: { verdict: "refused", code: "MESSAGE_UNKNOWN" },
  });
  expect(rehearsalText(report({ differences: [difference(7), held], notes: ['"tea" is \u202enew'] }), false)).toBe(
    'note: "tea" is \\u202enew\n' +
      "7   m-7   tea.drink  bob        done             → AWFUL (tea: anything but mint)\n" +
      "12  m-12  tea.drink  e\\u001bve  held (approval)  → MESSAGE_UNKNOWN\n" +
      "1,200 messages (entries 1 to 1200): 1,199 as before, 2 differ, 1 not compared\n" +
      "nothing was carried out; state sha256-1 before and after\n",
  );
});

test("fifty are shown, and the number of the others; or all of them", () => {
  const differences = Array.from({ length: MOST_LINES + 1050 }, (_, at) => difference(at + 1));
  const lines = rehearsalText(report({ differences }), false).split("\n");
  expect(lines.slice(MOST_LINES - 1, MOST_LINES + 1)).toEqual([
    expect.stringMatching(/^50 /),
    "… and 1,050 more; --all shows them",
  ]);
  expect(rehearsalText(report({ differences }), true).split("\n")).toHaveLength(1100 + 3);
});

test("what nobody can say is summed up by its reason; or told one by one", () => {
  const undecidables = [
    undecidable(1, "its body was erased"),
    ...[2, 3, 4].map((entry) => undecidable(entry, 'the fact "wind" was not recorded')),
  ];
  expect(rehearsalText(report({ undecidables }), false).split("\n").slice(0, 3)).toEqual([
    'undecidable  3  the fact "wind" was not recorded',
    "undecidable  1  its body was erased",
    "1,200 messages (entries 1 to 1200): 1,199 as before, 0 differ, 4 undecidable, 1 not compared",
  ]);
  expect(rehearsalText(report({ undecidables }), true)).toStartWith(
    "1  m-1  tea.drink  bob  undecidable: its body was erased\n",
  );
  const many = Array.from({ length: 13 }, (_, at) => undecidable(at, `reason ${at}`));
  expect(rehearsalText(report({ undecidables: many }), false)).toContain(
    "reason 9\n… and for 3 more reasons; --all shows them\n",
  );
});

test("a state that is not the same, or cannot be made again of the entries, is said to be so", () => {
  const state = { before: "sha256-1", after: "sha256-2", replayed: "sha256-1", same: false };
  expect(rehearsalText(report({ state }), false)).toEndWith(
    "nothing was carried out; yet the state differs: sha256-1 before, sha256-2 after, sha256-1 by the entries\n",
  );
  const gone = { before: "sha256-1", after: "sha256-1", replayed: undefined, same: true };
  expect(rehearsalText(report({ state: gone }), false)).toEndWith(
    "state sha256-1 before and after (entries that made it are gone, so that it cannot be made again of them)\n",
  );
});

test("nothing, and one, are counted as such", () => {
  const none = { messages: 0, same: 0, skipped: 0, entries: { from: 1, to: 0 } };
  expect(rehearsalText(report(none), false)).toStartWith("0 messages: 0 as before, 0 differ\n");
  const one = { messages: 1, same: 0, skipped: 0, differences: [difference(9)], entries: { from: 9, to: 9 } };
  expect(rehearsalText(report(one), false)).toContain("\n1 message (entry 9): 0 as before, 1 differs\n");
});
