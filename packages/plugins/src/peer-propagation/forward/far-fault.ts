// What a far side's fault says about whether anything was done.

import { FaultError, fault } from "@capstan/orchestrator";
import { OF_EXECUTION } from "../../executor/schema.ts";

/** Said before anything is done: the next way may be better. */
const UNTAKEN: ReadonlySet<string> = new Set([
  ...["ACTION_UNREACHABLE", "ACTION_UNKNOWN", "PEER_SESSION_OVER", "STOPPING", "FORWARDED_BACK", "HOPS_EXCEEDED"],
]);

/**
 * Whether whoever was asked did nothing of it, and another may. The same code may be an execution's that threw it on after it did its
 * work: then it names the execution, or has details of its own.
 */
export function isUntaken({ code, details }: FaultError): boolean {
  return UNTAKEN.has(code) && isObject(details) && !(OF_EXECUTION in details);
}

/** Whether whoever was asked stops, and has accepted it: it may have begun, and goes on after its next start. */
export function staysAccepted({ code, details }: FaultError): boolean {
  if (code !== "STOPPING" || !isObject(details) || OF_EXECUTION in details) return false;
  return (details as { readonly pending?: unknown }).pending === true;
}

/** Whether it is what became of an execution. Details that are a list are one's, or of an input that was refused for good. */
export function tellsOfIt({ details }: FaultError): boolean {
  return Array.isArray(details) || (isObject(details) && OF_EXECUTION in details);
}

/**
 * Whether it is what became of an execution, also where whoever says so may have forgotten it: then it was refused, or taken for another and not begun,
 * since it was past its deadline.
 */
export function outlasts(fault: FaultError): boolean {
  return isObject(fault.details) && tellsOfIt(fault) && fault.code !== "DEADLINE_EXCEEDED";
}

export function unreachable(name: string, why: string): FaultError {
  return new FaultError(fault("ACTION_UNREACHABLE", `${name}: ${why}`));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
