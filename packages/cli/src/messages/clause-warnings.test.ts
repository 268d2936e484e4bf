import { expect, test } from "bun:test";
import { clauseWarnings } from "./clause-warnings.ts";

const NAMES = ["action.perform", "action.list", "grant.create", "teaTime.put"];

test("a clause that covers a message is passed in silence, and so is what is no clause", () => {
  const good = ["*", "*.*", "action", "action.*", "*.list", "action.perform", "action.perform:greet", "teaTime.put:a*"];
  expect(clauseWarnings([...good, "no clause", 5], NAMES)).toEqual([]);
  expect(clauseWarnings(undefined, NAMES)).toEqual([]);
});

test("rights beside messages are clauses too, and a list is none", () => {
  const rights = ["file.read:/srv/a, b/*", "process.run:/usr/bin/git", "secret.use:env:TOKEN", "http.*"];
  expect(clauseWarnings(rights, NAMES)).toEqual([]);
  expect(clauseWarnings(["file.raed:/srv/*", "action.perform:greet,action.list"], NAMES)).toEqual([
    "file.raed:/srv/* covers no message that there is; did you mean file.read:/srv/*?",
    "action.perform:greet,action.list is one clause, comma and all; say --allow once for each",
  ]);
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
