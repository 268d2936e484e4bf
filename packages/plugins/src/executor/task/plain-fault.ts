// The fault that a run failed with, as plain data that the log takes: bounded as an output is, because it is kept, listed, and told to others.

import { type Fault, FaultError, fault } from "@capstan/orchestrator";
import { plainOutput } from "./plain-output.ts";
import { textOf } from "./thrown.ts";

/** The longest text of a fault that goes into the log; a code is shorter. */
const LONGEST_TEXT = 8192;
/** The longest details, as JSON. A page lists many faults. */
const LONGEST_DETAILS = 256 * 1024;
const LONGEST_CODE = 100;

/** @param name what was run */
export function plainFault(thrown: unknown, name: string): Fault {
  const text = textOf(thrown).slice(0, LONGEST_TEXT);
  if (!(thrown instanceof FaultError) || !isCode(thrown.code)) {
    return fault("ACTION_FAILED", `${name}: ${text || "it threw"}`);
  }
  return plainly(fault(thrown.code, text, thrown.details, typeof thrown.id === "string" ? thrown.id : undefined), name);
}

/** The fault without details that the log does not take, or that are too long for a list. */
export function plainly({ details, ...without }: Fault, name: string): Fault {
  const cut = { ...without, message: without.message.slice(0, LONGEST_TEXT) };
  const plain = plainOutput(details, name, LONGEST_DETAILS);
  return "code" in plain || plain.value === undefined ? cut : { ...cut, details: plain.value };
}

function isCode(code: unknown): code is string {
  return typeof code === "string" && code !== "" && code.length <= LONGEST_CODE;
}
