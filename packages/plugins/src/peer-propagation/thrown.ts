// What was thrown: as a line for operators, and whether it tells that a note was undone.

import { printable } from "@capstan/orchestrator";

export function textOf(thrown: unknown): string {
  // It may be the other side's: operators read it.
  return printable(String((thrown as { message?: unknown } | null | undefined)?.message ?? thrown), 300);
}

/** Whether a note was decided, and undone with what it was decided on. */
export function isUndone(thrown: unknown): boolean {
  return (thrown as { readonly code?: unknown } | undefined)?.code === "LOG_UNAVAILABLE";
}
