// What a peer's fault tells about whether the action ran.

import { FaultError, fault } from "@capstan/orchestrator";
import { OF_EXECUTION } from "../../executor/schema.ts";
import { MOST_OF_A_FRAME } from "../links/fits-frame.ts";

/** Faults from before anything is done: the next path may work. */
const UNTAKEN: ReadonlySet<string> = new Set([
  ...["ACTION_UNREACHABLE", "ACTION_UNKNOWN", "PEER_SESSION_OVER", "STOPPING", "FORWARDED_BACK", "HOPS_EXCEEDED"],
  "PEER_CALLS_EXCEEDED",
]);

/**
 * Whether the neighbour did nothing, so that another may be asked. An action's code may rethrow the same fault after its
 * work: then the fault names the execution, or has details of its own.
 */
export function isUntaken({ code, details }: FaultError): boolean {
  return UNTAKEN.has(code) && isObject(details) && !(OF_EXECUTION in details);
}

/**
 * Whether the neighbour has accepted the call, and does not say what became of it: it is stopping, and goes on after the next start; or more answers
 * wait for room in the session than may (`SESSION_BUDGET`), and this one is to be asked for again.
 */
export function staysAccepted({ code, details }: FaultError): boolean {
  if (!isObject(details) || OF_EXECUTION in details) return false;
  if (code === "SESSION_BUDGET") return true;
  return code === "STOPPING" && (details as { readonly pending?: unknown }).pending === true;
}

/** Whether the fault is the outcome of an execution. A list as details is an execution's, or of an invalid input. */
export function tellsOfIt({ details }: FaultError): boolean {
  return Array.isArray(details) || (isObject(details) && OF_EXECUTION in details);
}

/**
 * Whether the fault is the outcome of an execution even if the neighbour may have forgotten the call: then it could also be a refusal, or
 * DEADLINE_EXCEEDED of a call that was taken as a new one and not begun.
 */
export function outlasts(fault: FaultError): boolean {
  return isObject(fault.details) && tellsOfIt(fault) && fault.code !== "DEADLINE_EXCEEDED";
}

/** Said before anything is sent. */
export function tooLarge(name: string): FaultError {
  const text = `${name}: its input is larger than what a frame between nodes has room for, ${MOST_OF_A_FRAME} characters; say where it lies instead`;
  return new FaultError(fault("TOO_LARGE", text));
}

export function unreachable(name: string, why: string): FaultError {
  return new FaultError(fault("ACTION_UNREACHABLE", `${name}: ${why}`));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
