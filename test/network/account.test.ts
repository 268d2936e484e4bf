// A check that cannot fail proves nothing: each thing that must not be is put into the books, and found.

import { expect, test } from "bun:test";
import { account, emptySums } from "./account.ts";
import type { Asked, Came } from "./load.ts";
import type { Resolved } from "./settle.ts";

const asked = (came: Came | undefined, idempotent = false): Asked => ({
  ...{ n: 7, node: "n0", key: undefined, input: { n: 7, before: 0, after: 0 }, came, twice: false },
  action: { name: "act", idempotent },
});
const done: Came = { kind: "done", output: { n: 7, by: "n1" } };
const ambiguous: Came = { kind: "ambiguous", execution: "x-1" };
const refused: Came = { kind: "failed", code: "ACTION_UNREACHABLE", text: "" };

function found(came: Came | undefined, runs: number, resolved?: Resolved, idempotent = false) {
  const sums = emptySums();
  const all = new Map(resolved === undefined ? [] : [["n0 x-1", resolved] as const]);
  const wrong = account([asked(came, idempotent)], new Map([[7, runs]]), all, sums);
  return { wrong: wrong.map((text) => text.split(" ")[0]), lost: sums.lost, twice: sums.twice, again: sums.again };
}

test("what is as it should be is no complaint", () => {
  const nothing = { wrong: [], lost: 0, twice: 0, again: 0 };
  expect(found(done, 1)).toEqual(nothing);
  expect(found(refused, 0)).toEqual(nothing);
  expect(found(ambiguous, 1, { kind: "done", byItself: false })).toEqual(nothing);
  expect(found(ambiguous, 0, { kind: "failed", byItself: true, code: "ACTION_UNREACHABLE" })).toEqual(nothing);
  expect(found({ kind: "unanswered" }, 1)).toEqual(nothing);
  expect(found(done, 2, undefined, true)).toEqual({ ...nothing, again: 1 });
});

test("what is not is found", () => {
  expect(found(done, 2)).toMatchObject({ wrong: ["TWICE"], twice: 1 });
  expect(found(done, 0)).toMatchObject({ wrong: ["LOST"], lost: 1 });
  expect(found(undefined, 1)).toMatchObject({ wrong: ["LOST"], lost: 1 });
  expect(found(ambiguous, 1)).toMatchObject({ wrong: ["LOST"], lost: 1 });
  expect(found(ambiguous, 1, { kind: "ambiguous", byItself: false })).toMatchObject({ lost: 1 });
  expect(found(ambiguous, 0, { kind: "done", byItself: false })).toMatchObject({ lost: 1 });
  expect(found(refused, 1).wrong).toHaveLength(1);
  expect(found({ kind: "failed", code: "ACTION_FAILED", text: "" }, 0).wrong).toHaveLength(1);
  expect(found({ kind: "done", output: { n: 8, by: "n1" } }, 1).wrong).toHaveLength(1);
});
