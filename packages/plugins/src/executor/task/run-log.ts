// The logger for a task's code: its lines carry the id of the run, which tells them from the node's own.

import type { Logger } from "@capstan/orchestrator";

/** `id`: the execution's, or the delivery's. */
export function runLog(log: Logger, id: string): Logger {
  const written =
    (write: (fields: object, text: string) => void) =>
    // Untyped code may leave the fields out, or give an error for them.
    (fields: unknown, text: string): void => {
      if (fields instanceof Error) write({ err: fields, run: id }, text ?? fields.message);
      else if (typeof fields === "object") write({ ...fields, run: id }, text);
      else write({ run: id }, String(fields));
    };
  return {
    debug: written((fields, text) => log.debug(fields, text)),
    info: written((fields, text) => log.info(fields, text)),
    warn: written((fields, text) => log.warn(fields, text)),
    error: written((fields, text) => log.error(fields, text)),
  };
}
