import { expect, test } from "bun:test";
import { clauseWarnings } from "./clause-warnings.ts";

const NAMES = ["action.perform", "action.list", "grant.create", "teaTime.put"];

test("a clause that covers a message is passed in silence, and so is what is no clause", () => {
  const good = ["*", "*.*", "action", "action.*", "*.list", "action.perform", "action.perform:greet", "teaTime.put:a*"];
  expect(clauseWarnings([...good, "no clause", 5], NAMES)).toEqual([]);
  expect(clauseWarnings(undefined, NAMES)).toEqual([]);
});

test("one that covers none is named, with what was meant", () => {
  expect(clauseWarnings(["action.perfrom:greet", "acton.*", "acton", "*.lits", "weather.report"], NAMES)).toEqual([
    "action.perfrom:greet covers no message that there is; did you mean action.perform:greet?",
    "acton.* covers no message that there is; did you mean action.*?",
    "acton covers no message that there is; did you mean action.*?",
    "*.lits covers no message that there is; did you mean *.list?",
    "weather.report covers no message that there is; capstan messages lists them",
  ]);
});
