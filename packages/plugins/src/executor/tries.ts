// The row of an execution as a try of it begins. Where it is done, and what becomes of it once it is spent, is added by whoever decides that.

import type { Envelope } from "@capstan/orchestrator";
import type { ExecutionRow, Original, Publication } from "./schema.ts";

/** The first try, of an `action.perform`. @param revision the action's; 0 where it is elsewhere */
export function firstTry(
  { id, principal, at, deadline }: Envelope,
  action: string,
  revision: number,
  publication: "with" | Publication = "with",
): ExecutionRow {
  return {
    ...{ action, revision, message: id, principal, state: "running", attempt: 1, at },
    ...(publication === "with" ? {} : { publication }),
    ...(deadline === undefined ? {} : { deadline }),
  };
}

/** A try by an `execution.retry`, which waits for it with whoever waits for the first. */
export function nextTry({ id, at, deadline }: Envelope, original: Original, revision: number): ExecutionRow {
  const { name, message, principal, input, publication } = original;
  return {
    ...{ action: name, revision, message, principal, state: "running", attempt: 1, at, waiting: [id], input },
    ...(publication === undefined ? {} : { publication }),
    ...(deadline === undefined ? {} : { deadline }),
  };
}
