// What the code of a task threw: a text for it, and the fault that the task failed with.

import { type Fault, FaultError, fault, printable } from "@capstan/orchestrator";

/** A text for anything that was thrown. */
export function textOf(thrown: unknown): string {
  try {
    return printable(String(thrown instanceof Error ? thrown.message : thrown));
  } catch {
    return "";
  }
}

/** @param name the task's */
export function thrownFault(thrown: unknown, name: string): Fault {
  if (thrown instanceof FaultError) return thrown.toFault();
  return fault("ACTION_FAILED", `${name}: ${textOf(thrown) || "it threw"}`);
}
