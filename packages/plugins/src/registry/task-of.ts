// Makes the row of a registration out of the former row, what the protocol found out, and what the caller said; for actions and receivers
// alike.

import { type Envelope, type Fault, fault, NODE_GRANT } from "@capstan/orchestrator";
import { narrow } from "../clause.ts";
import { type Breaker, defaults, type Inspected, type Task, type Transform } from "./schema.ts";

/** A caller's changes of a task: what is left out stays, and `null` removes. */
export interface AskedTask {
  readonly name: string;
  readonly protocol?: string | undefined;
  readonly configuration?: unknown;
  readonly may?: readonly string[] | undefined;
  readonly timeout?: number | undefined;
  readonly attempts?: number | undefined;
  readonly backoff?: number | undefined;
  readonly transform?: Transform | null | undefined;
  readonly breaker?: Breaker | null | undefined;
}

/** The next revision of a task. `found` is the fact `action.inspected`. */
export function taskOf(
  asked: AskedTask,
  found: Inspected,
  before: Task | undefined,
  { principal, grant, may, at }: Pick<Envelope, "principal" | "grant" | "may" | "at">,
): Task {
  const transform = settled(asked.transform, before?.transform);
  const breaker = settled(asked.breaker, before?.breaker);
  // For the same code the former restriction stays; other code's own declaration is read anew.
  const stricter = found.digest !== undefined && found.digest === before?.digest ? keptMay(before) : undefined;
  return {
    name: asked.name,
    revision: (before?.revision ?? 0) + 1,
    protocol: asked.protocol ?? before?.protocol ?? "module",
    configuration: found.configuration ?? asked.configuration ?? before?.configuration ?? {},
    // The registrant may narrow what the code declares, not widen it.
    may: found.may === undefined ? (asked.may ?? keptMay(before)) : narrow(found.may, asked.may ?? stricter),
    timeout: asked.timeout ?? found.timeout ?? before?.timeout ?? defaults.timeout,
    attempts: asked.attempts ?? before?.attempts ?? defaults.attempts,
    backoff: asked.backoff ?? before?.backoff ?? defaults.backoff,
    ...(transform === undefined ? {} : { transform }),
    ...(breaker === undefined ? {} : { breaker }),
    // Only a digest that was just found counts.
    ...(found.digest === undefined ? {} : { digest: found.digest }),
    registrant: { principal, grant, ...(may === undefined ? {} : { may }) },
    at,
  };
}

/**
 * Why an update must state `may` again: the former `may` was stated under another grant, where it may have allowed little. Kept, it would
 * allow that code to use the updater's grant.
 */
export function unsaidMay(
  asked: AskedTask,
  found: Inspected,
  before: Task | undefined,
  { grant }: Pick<Envelope, "grant">,
): Fault | undefined {
  if (before === undefined || asked.may !== undefined || found.may !== undefined) return undefined;
  const { registrant } = before;
  // Under the node's own grant, which covers everything, `may` allowed at least as much.
  if (registrant.grant === grant || registrant.grant === NODE_GRANT) return undefined;
  const kept = keptMay(before);
  if (kept.length === 0) return undefined;
  const text = `${asked.name}: ${registrant.principal} said under ${registrant.grant} what its code may ask for; say "may" anew, because it asks under ${grant} from now on`;
  return fault("MAY_UNSAID", text, { may: kept });
}

/** What a task's code may send, within the scope in which that was stated. */
export function keptMay(before: Pick<Task, "may" | "registrant"> | undefined): readonly string[] {
  return before === undefined ? [] : narrow(before.may, before.registrant.may);
}

function settled<T>(asked: T | null | undefined, before: T | undefined): T | undefined {
  return asked === null ? undefined : (asked ?? before);
}
