// What reaches a terminal: nothing of somebody else's moves the cursor or hides, and JSON stays the same value.

import { expect, test } from "bun:test";
import { faultText } from "../fault/fault-text.ts";
import { brief } from "./brief.ts";
import { columns, instant } from "./columns.ts";
import { type Explained, explanation } from "./explanation.ts";
import { jsonText, shown } from "./shown.ts";

const HOSTILE = "a\u001b[31m\u0007\u009b2J\u202e\u2028\n\u{e0041}\ud800z";

test("control, format and direction characters are escaped", () => {
  expect(shown(HOSTILE)).toBe("a\\u001b[31m\\u0007\\u009b2J\\u202e\\u2028\\u000a\\udb40\\udc41\\ud800z");
  expect(shown("Łódź 東京 🦄")).toBe("Łódź 東京 🦄");
});

test("JSON is safe to look at, and the same value", () => {
  const value = { [HOSTILE]: [HOSTILE, 1, null, "\\u001b", { deep: "\u007f" }] };
  for (const indent of [undefined, 2]) {
    const text = jsonText(value, indent);
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u);
    expect(JSON.parse(text)).toEqual(value);
  }
  expect(jsonText(undefined)).toBe("null");
});

test("a value in a line is short, and quotes what is no plain word", () => {
  expect(brief({ name: "greet", input: { name: "Ada Lovelace" }, n: [1, true, null] })).toBe(
    '{name: greet, input: {name: "Ada Lovelace"}, n: [1, true, null]}',
  );
  expect(brief({ a: { b: { c: { d: { e: 1 } } } } })).toBe("{a: {b: {c: {d: …}}}}");
  expect(brief("x".repeat(1000))).toHaveLength(160);
  expect(brief({ text: HOSTILE })).not.toContain("\u001b");
});

test("columns are as wide as their widest cell, and hostile cells stay in their row", () => {
  expect(
    columns([
      ["a", "東京", "x"],
      ["bbb", 1, undefined],
      ["c", "\n", "y"],
    ]),
  ).toBe("a    東京    x\nbbb  1\nc    \\u000a  y\n");
  expect(instant(0)).toBe("1970-01-01T00:00:00Z");
  expect(instant(undefined)).toBe("");
});

test("a fault names its message: to explain it, or to tell whoever may", () => {
  expect(faultText({ code: "INPUT_INVALID", message: "greet: no", id: "m-1" })).toBe(
    "INPUT_INVALID  greet: no\n  see: capstan explain m-1\n",
  );
  expect(faultText({ code: "REFUSED", message: "g-2 allows a; asked b", id: "m-1" })).toBe(
    "REFUSED  g-2 allows a; asked b   m-1\n",
  );
  expect(faultText({ code: "X", message: "one\nline" })).toBe("X  one\\u000aline\n");
});

const explained: Explained = {
  ...{ id: "m-1", entry: 9, message: "action.perform", data: { name: "greet" }, principal: "bob", grant: "g-2" },
  ...{ verdict: "done", plugins: [], because: [], rows: [] },
};

test("an explanation says what each plugin said, and stops where it stopped", () => {
  const refused: Explained = {
    ...explained,
    verdict: "refused",
    error: { code: "REFUSED", message: "no" },
    plugins: [
      { plugin: "auth", verdict: "refused", clause: "clause 1: no" },
      { plugin: "registry", verdict: "not reached" },
      { plugin: "ledger", verdict: "not reached" },
    ],
  };
  expect(explanation(refused)).toBe(
    "m-1  action.perform {name: greet}  by bob under g-2   REFUSED, nothing changed\n" +
      "  auth       refused   clause 1: no\n" +
      "  registry…  not reached\n",
  );
  const last = { ...refused, plugins: refused.plugins.slice(0, 2) };
  expect(explanation(last)).toEndWith("  registry   not reached\n");
});

test("an explanation says what came of it and what it came of", () => {
  const text = explanation({
    ...explained,
    plugins: [{ plugin: "a-long-plugin-name", verdict: "next", clause: "*", wrote: 2 }],
    outcome: { state: "failed", entry: 10, error: { code: "ACTION_FAILED", message: "boom" } },
    because: [{ id: "m-0", message: "event.submit", principal: "ada" }],
  });
  expect(text).toBe(
    "m-1  action.perform {name: greet}  by bob under g-2   accepted, entry 9\n" +
      "  a-long-plugin-name  next      *, wrote 2 rows\n" +
      "  outcome             failed    entry 10   ACTION_FAILED: boom\n" +
      "  because             m-0       event.submit  by ada\n",
  );
});
