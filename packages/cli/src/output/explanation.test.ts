// How an explanation reads, for each of what may have become of a message: performed, refused, retried, a dead letter, held. Data
// is what `log.explain` answers.

import { expect, test } from "bun:test";
import { type Explained, explanation } from "./explanation.ts";

const NOON = Date.UTC(2026, 2, 1, 12);

const performed: Explained = {
  ...{ id: "m-1", entry: 3, message: "action.perform", data: { name: "mail" }, principal: "ada", grant: "g-2" },
  verdict: "done",
  plugins: [
    { plugin: "auth", verdict: "next", clause: "action.*" },
    { plugin: "executor", verdict: "next", wrote: 1 },
  ],
  ...{ because: [], rows: [] },
};

const HEAD = "m-1  action.perform {name: mail}  by ada under g-2   ";
const DECIDED = "  auth       next      action.*\n  executor   next      wrote 1 row\n";
const text = (more: Partial<Explained>): string => explanation({ ...performed, ...more });
const failed = { code: "ACTION_FAILED", message: "mail: away" };

test("performed", () => {
  expect(text({ outcome: { state: "done", entry: 4 } })).toBe(
    `${HEAD}accepted, entry 3\n${DECIDED}  outcome    done      entry 4\n`,
  );
});

test("refused", () => {
  const plugins = [
    { plugin: "auth", verdict: "next", clause: "action.*" },
    { plugin: "executor", verdict: "refused" },
    { plugin: "ledger", verdict: "not reached" },
  ];
  expect(text({ verdict: "refused", error: failed, plugins })).toBe(
    `${HEAD}ACTION_FAILED, nothing changed\n` +
      "  auth       next      action.*\n  executor   refused\n  ledger     not reached\n",
  );
});

const attempts: NonNullable<Explained["attempts"]> = [
  { entry: 4, error: failed, clause: "attempt 1 of 2", next: { notBefore: NOON + 1000 } },
  { entry: 5, error: failed, clause: "attempt 2 of 2, the last" },
];

test("retried: each attempt with its fault and when the next may come, and the one that is owed", () => {
  const first = attempts.slice(0, 1);
  const running = { of: "m-1", attempt: 2, notBefore: NOON + 1000 };
  expect(text({ attempts: first, running, outcome: { state: "pending" } })).toBe(
    `${HEAD}accepted, entry 3\n${DECIDED}` +
      "  attempt 1  failed    entry 4   ACTION_FAILED: mail: away   attempt 1 of 2   again from 2026-03-01T12:00:01Z\n" +
      "  attempt 2  owed      from 2026-03-01T12:00:01Z\n" +
      "  outcome    pending\n",
  );
  // The first try says enough of itself.
  expect(text({ running: { of: "m-1", attempt: 1 }, outcome: { state: "pending" } })).toBe(
    `${HEAD}accepted, entry 3\n${DECIDED}  outcome    pending\n`,
  );
});

test("a dead letter: its id and end, its alert, and who redrove it, where they came", () => {
  const followed = [
    {
      ...{ entry: 6, id: "m-6", message: "deadLetter.add", principal: "node:n-1", verdict: "done" },
      ...{ answer: { id: "d-6" }, outcome: { state: "done", entry: 10, data: { message: "m-9" } } },
    },
    { entry: 7, id: "m-7", message: "alert.raised", principal: "node:n-1", verdict: "done" },
  ];
  const retries = [
    {
      ...{ id: "m-9", entry: 9, message: "execution.retry", principal: "bob" },
      because: { id: "m-8", message: "deadLetter.redrive", principal: "bob" },
    },
  ];
  const spent = { ...(attempts[1] as NonNullable<(typeof attempts)[0]>), followed };
  const told = text({
    ...{
      attempts: [attempts[0] as typeof spent, spent, { entry: 11 }],
      retries,
      outcome: { state: "done", entry: 11 },
    },
  });
  expect(told.split("\n").slice(4)).toEqual([
    "  attempt 2  failed    entry 5   ACTION_FAILED: mail: away   attempt 2 of 2, the last",
    "  letter     redriven  entry 6   d-6   until entry 10",
    "  alert      raised    entry 7   m-7",
    "  retried    bob       entry 9   execution.retry m-9   because of deadLetter.redrive m-8",
    "  attempt 3  done      entry 11",
    "  outcome    done      entry 11",
    "",
  ]);
  const state = (outcome: object) =>
    /letter +(\w+)/.exec(
      text({ followed: [{ ...followed[0], outcome } as NonNullable<Explained["followed"]>[0]] }),
    )?.[1];
  expect(state({ state: "pending" })).toBe("open");
  expect(state({ state: "done", data: { discarded: "no", by: "bob" } })).toBe("discarded");
});

test("held: for what, by whom and since when; settled by whom and with what; and what was decided then", () => {
  const hold = { plugin: "approval", name: "approval", details: { ask: "carol" }, since: NOON };
  const waits = { verdict: "held", plugins: [{ plugin: "approval", verdict: "hold", clause: "over 1000" }] };
  expect(text({ ...waits, hold, outcome: { state: "pending" } })).toBe(
    `${HEAD}held, entry 3\n` +
      "  approval   hold      over 1000\n" +
      "  held for   approval  by approval   since 2026-03-01T12:00:00Z   {ask: carol}\n" +
      "  outcome    pending\n",
  );
  const settled = { entry: 4, principal: "carol", at: NOON + 60_000, outcome: { granted: false } };
  const decided = { entry: 5, id: "m-5", verdict: "refused", error: failed };
  const told = text({
    ...waits,
    hold: { ...hold, settled, decided },
    outcome: { state: "failed", entry: 5, error: failed },
  });
  expect(told.split("\n").slice(3)).toEqual([
    "  settled    carol     entry 4   2026-03-01T12:01:00Z   {granted: false}",
    "  decided    refused   entry 5   m-5   ACTION_FAILED: mail: away",
    "  outcome    failed    entry 5   ACTION_FAILED: mail: away",
    "",
  ]);
});

test("held, and ended by another message: who took it back, and by which", () => {
  const ended = { entry: 4, id: "m-4", message: "execution.cancel", principal: "carol", at: NOON + 60_000 };
  const error = { code: "CANCELLED", message: "m-1 was cancelled" };
  const told = text({
    verdict: "held",
    plugins: [],
    hold: { plugin: "approval", name: "approval", since: NOON, ended },
    outcome: { state: "failed", entry: 4, error },
  });
  expect(told.split("\n").slice(2)).toEqual([
    "  ended      carol     entry 4   2026-03-01T12:01:00Z   execution.cancel m-4",
    "  outcome    failed    entry 4   CANCELLED: m-1 was cancelled",
    "",
  ]);
});

test("what was erased or is gone is said to be, and is not shown as empty", () => {
  const { data: _data, ...bodyless } = performed;
  const told = explanation({
    ...bodyless,
    erased: ["body", "rows"],
    erasedBy: { body: 9, rows: 9 },
    gone: true,
    outcome: { state: "erased", entry: 5 },
  });
  expect(told).toStartWith("m-1  action.perform (erased)  by ada under g-2   accepted, entry 3\n");
  expect(told.split("\n").slice(3)).toEqual([
    "  outcome    erased      entry 5",
    "  erased     body, rows  by entry 9; the entry's proofs still hold",
    "  older      gone        the log was compacted",
    "",
  ]);
});

test("whatever followed is told up to a number, and hostile names stay in their row", () => {
  const followed = Array.from({ length: 12 }, (_, at) => ({
    ...{ entry: at + 4, id: `m-${at}`, message: "note.write\n", principal: "bob", verdict: "done" },
  }));
  const rows = text({ followed }).split("\n");
  expect(rows[3]).toBe("  followed   done      entry 4   note.write\\u000a m-0");
  expect(rows.at(-2)).toBe("             and 4 more");
  expect(rows).toHaveLength(13);
});
