// A file that cannot be written, as a fault that says why in words; whatever else was thrown, as it is.

import { FaultError, fault, printable, Unwritable } from "@capstan/orchestrator/remote";
import { reasonOf } from "../input/json-input.ts";

/** `path` as it was said. */
export function unwritable(path: string, thrown: unknown): unknown {
  if (!(thrown instanceof Unwritable)) return thrown;
  return notWritten(path, `cannot be written: ${reasonOf(thrown.cause)}; nothing was overwritten`);
}

/** `why` goes on after the path. */
export function notWritten(path: string, why: string): FaultError {
  return new FaultError(fault("FILE_UNWRITABLE", `${printable(path)} ${why}`));
}
