// When two judgements are the same, and how two that are not are told beside each other.

import { expect, test } from "bun:test";
import { type Judged, type Judgement, recordedJudgement, sameJudgement, told } from "./judgement.ts";

const refused: Judgement = { verdict: "refused", code: "NO", plugin: "rule", clause: "clause 1" };

test("the same are verdict, code, the plugin that stopped it, and its clause; the text is not compared", () => {
  expect(sameJudgement(refused, { ...refused, text: "said in other words" })).toBe(true);
  for (const other of [{ code: "NEVER" }, { plugin: "auth" }, { clause: "clause 2" }, { verdict: "held" as const }]) {
    expect(sameJudgement(refused, { ...refused, ...other })).toBe(false);
  }
  const held: Judgement = { verdict: "held", plugin: "approval", clause: "clause 1" };
  expect(sameJudgement(held, { ...held, clause: "clause 2" })).toBe(false);
});

test("what passes by another clause passes all the same; where another plugin stops it with success, it does not", () => {
  const done: Judgement = { verdict: "done", plugin: "auth", clause: "a" };
  expect(sameJudgement(done, { ...done, clause: "b" })).toBe(true);
  expect(sameJudgement(done, { verdict: "done", plugin: "kernel" })).toBe(false);
});

test("beside a refusal, what passed is told with what the refusing plugin said when it let it pass", () => {
  const verdicts = [
    { plugin: "auth", kind: "next", clause: "*" },
    { plugin: "rule", kind: "next", clause: "clause 7" },
  ] as const;
  const passed: Judged = { verdict: "done", verdicts };
  expect(told(passed, refused)).toEqual({ verdict: "done", plugin: "rule", clause: "clause 7" });
  expect(told(passed, { verdict: "refused", code: "MESSAGE_UNKNOWN" })).toEqual({ verdict: "done" });
  expect(told({ ...passed, verdicts: [] }, refused)).toEqual({ verdict: "done" });
  expect(told({ ...refused, verdicts }, { verdict: "done" })).toEqual(refused);
});

test("an entry says what it came to in its header and its trace", () => {
  const verdicts = [{ plugin: "rule", kind: "hold", clause: "all" }] as const;
  expect(recordedJudgement({ verdict: "held" }, { verdicts, data: { held: "approval" } })).toMatchObject({
    ...{ verdict: "held", plugin: "rule", clause: "all", text: "approval" },
  });
  const error = { code: "NO", message: "no", id: "m-1" };
  expect(recordedJudgement({ verdict: "refused" }, { verdicts: [], error })).toEqual({
    ...{ verdict: "refused", code: "NO", text: "no", verdicts: [] },
  });
});
