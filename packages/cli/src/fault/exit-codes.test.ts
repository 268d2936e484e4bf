// Exit codes against the fault tables: what can be tried again, what was refused, and nothing that no table knows.

import { expect, test } from "bun:test";
import { type FaultTable, kernelFaults } from "@capstan/orchestrator";
import { authFaults, standard } from "@capstan/plugins";
import { outputLost } from "../index.ts";
import { testIo } from "../test-io.ts";
import { cliFaults } from "./cli-faults.ts";
import { codesWithExit, exitCodeMeanings, exitCodeOf, exitCodes } from "./exit-codes.ts";

const tables: FaultTable = Object.assign(
  {},
  ...standard().map(({ faults }: { readonly faults?: FaultTable }) => faults),
  kernelFaults,
  cliFaults,
);

// Only where the action is idempotent: a script that tries again whatever ends with 75 must not run it twice.
const SOMETIMES = ["ACTION_FAILED", "PROCESS_FAILED", "HTTP_UNREACHABLE"];

test("a fault that can be tried again ends with 75, or with 69 where something has to come back first", () => {
  for (const [code, { retryable }] of Object.entries(tables)) {
    if (retryable && !SOMETIMES.includes(code))
      expect([code, [exitCodes.tryAgain, exitCodes.unavailable]]).toEqual([
        code,
        expect.arrayContaining([exitCodeOf(code)]),
      ]);
    else expect([code, exitCodeOf(code)]).not.toEqual([code, exitCodes.tryAgain]);
  }
});

test("whatever a grant or a credential does not cover ends with 77", () => {
  const refused = Object.keys({ ...authFaults }).filter(
    (code) => authFaults[code as keyof typeof authFaults].status === 403,
  );
  for (const code of [...refused, "CREDENTIAL_INVALID", "CREDENTIAL_MISSING", "UNAUTHORIZED"]) {
    expect([code, exitCodeOf(code)]).toEqual([code, exitCodes.refused]);
  }
});

test("every code that is named is in a table, and every fault of the command line is named", () => {
  for (const code of codesWithExit) expect(Object.keys(tables)).toContain(code);
  for (const code of Object.keys(cliFaults)) expect(codesWithExit).toContain(code);
  expect(exitCodeOf("SOME_PLUGINS_OWN")).toBe(exitCodes.failed);
});

test("every exit code has a meaning", () => {
  expect(exitCodeMeanings.map(([code]) => code)).toEqual(Object.values(exitCodes));
});

test("an output that nobody takes is said, in the form that was asked for", () => {
  const full = Object.assign(new Error("write"), { code: "ENOSPC" });
  const message = "standard output cannot be written: the disk is full";
  const io = testIo();
  expect([outputLost(["log", "list"], io, full), io.err()]).toEqual([73, `FILE_UNWRITABLE  ${message}\n`]);
  const programs = testIo({ CAPSTAN_JSON: "1" });
  expect(outputLost([], programs, full)).toBe(73);
  expect(JSON.parse(programs.err())).toEqual({ code: "FILE_UNWRITABLE", message });
});
