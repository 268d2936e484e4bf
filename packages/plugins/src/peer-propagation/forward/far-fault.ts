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

/** Whether it is what became of an execution. Details that are a list are one's, or of an input that was refused for good. */
export function tellsOfIt({ details }: FaultError): boolean {
  return Array.isArray(details) || (isObject(details) && OF_EXECUTION in details);
}

export function unreachable(name: string, why: string): FaultError {
  return new FaultError(fault("ACTION_UNREACHABLE", `${name}: ${why}`));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
