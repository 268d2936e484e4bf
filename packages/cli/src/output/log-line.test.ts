import { expect, test } from "bun:test";
import { logLineText } from "./log-line.ts";

const time = Date.UTC(2026, 10, 21, 16, 44);

test("a decision is a line of words, and so is what the node notes", () => {
  const decided = { id: "m-01J8", message: "action.perform", principal: "admin", verdict: "done", entry: 3 };
  expect(logLineText(`${JSON.stringify({ level: 30, time, ...decided, msg: "decided" })}\n`)).toBe(
    "2026-11-21T16:44:00Z  action.perform  admin  done  entry 3  m-01J8\n",
  );
  const { entry: _, ...query } = { ...decided, verdict: "REFUSED", correlation: "order 7" };
  expect(logLineText(JSON.stringify({ level: 30, time, ...query, msg: "decided" }))).toBe(
    '2026-11-21T16:44:00Z  action.perform  admin  REFUSED  m-01J8  correlation "order 7"\n',
  );
  expect(logLineText(JSON.stringify({ level: 40, time, listen: "10.0.0.1", msg: "others can reach the node" }))).toBe(
    "2026-11-21T16:44:00Z  WARN  others can reach the node  listen 10.0.0.1\n",
  );
});

test("what an action says stays in its line, and what is no line of ours stays as it is", () => {
  const text = logLineText(JSON.stringify({ level: 30, time, script: "a\nb", msg: "\u001b[2Jx\ny\u202e" }));
  expect(text).toBe('2026-11-21T16:44:00Z  \\u001b[2Jx\\u000ay\\u202e  script "a\\nb"\n');
  expect(logLineText("\u001b[2J no JSON\n")).toBe("\\u001b[2J no JSON\n");
  for (const other of ["not JSON\n", "7\n", "null\n"]) expect(logLineText(other)).toBe(other);
});

test("what an action says is no decision, however it looks", () => {
  const decision = { id: "m-01J8", message: "action.perform", principal: "admin", verdict: "done", entry: 3 };
  const said = (fields: object): string => logLineText(JSON.stringify({ level: 30, time, ...fields }));
  expect(said({ ...decision, execution: "m-9", msg: "decided" })).toBe(
    "2026-11-21T16:44:00Z  decided  id m-01J8  message action.perform  principal admin  verdict done  entry 3  execution m-9\n",
  );
  expect(said({ execution: "m-9", msg: "action.perform  admin  done" })).toBe(
    "2026-11-21T16:44:00Z  action.perform admin done  execution m-9\n",
  );
  expect(said({ msg: "decided" })).toBe("2026-11-21T16:44:00Z  decided\n");
});

test("where an error came from is told to the end", () => {
  const error = `Error: it broke\n${"    at somewhere (/srv/a.ts:1:1)\n".repeat(20)}`;
  expect(logLineText(JSON.stringify({ level: 50, time, error, msg: "nobody caught an error" }))).toBe(
    `2026-11-21T16:44:00Z  ERROR  nobody caught an error  error ${JSON.stringify(error)}\n`,
  );
});
