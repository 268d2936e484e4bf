// A registration made a row: what was there before, what the protocol found out, and what the caller said. The same for
// whatever a protocol carries out, be it an action or a receiver.

import { type Envelope, type Fault, fault, NODE_GRANT } from "@capstan/orchestrator";
import { narrow } from "../clause.ts";
import { type Breaker, defaults, type Inspected, type Task, type Transform } from "./schema.ts";

/** What a caller says of a task; what it leaves out stays as it was. `null` takes away. */
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
  // Of the same code it stays as strict; what other code says of itself is read anew.
  const stricter = found.digest !== undefined && found.digest === before?.digest ? keptMay(before) : undefined;
  return {
    name: asked.name,
    revision: (before?.revision ?? 0) + 1,
    protocol: asked.protocol ?? before?.protocol ?? "module",
    configuration: found.configuration ?? asked.configuration ?? before?.configuration ?? {},
    // Whoever registers may be stricter than the code is, not wider.
    may: found.may === undefined ? (asked.may ?? keptMay(before)) : narrow(found.may, asked.may ?? stricter),
    timeout: asked.timeout ?? found.timeout ?? before?.timeout ?? defaults.timeout,
    attempts: asked.attempts ?? before?.attempts ?? defaults.attempts,
    backoff: asked.backoff ?? before?.backoff ?? defaults.backoff,
    ...(transform === undefined ? {} : { transform }),
    ...(breaker === undefined ? {} : { breaker }),
    // A digest is of what was found just now, or of nothing.
    ...(found.digest === undefined ? {} : { digest: found.digest }),
    registrant: { principal, grant, ...(may === undefined ? {} : { may }) },
    at,
  };
}

/**
 * Why an update cannot leave out `may`: what a task's code may ask for was said under another grant, where it may have meant
 * little. Kept, it would lend that code the grant of whoever updates.
 */
export function unsaidMay(
  asked: AskedTask,
  found: Inspected,
  before: Task | undefined,
  { grant }: Pick<Envelope, "grant">,
): Fault | undefined {
  if (before === undefined || asked.may !== undefined || found.may !== undefined) return undefined;
  const { registrant } = before;
  // The node's own covers everything: what was said under it means the same under any other, or less.
  if (registrant.grant === grant || registrant.grant === NODE_GRANT) return undefined;
  const kept = keptMay(before);
  if (kept.length === 0) return undefined;
  const text = `${asked.name}: ${registrant.principal} said under ${registrant.grant} what its code may ask for; say "may" anew, because it asks under ${grant} from now on`;
  return fault("MAY_UNSAID", text, { may: kept });
}

/** What the code of a task may ask for, within the scope that it was said in. */
export function keptMay(before: Pick<Task, "may" | "registrant"> | undefined): readonly string[] {
  return before === undefined ? [] : narrow(before.may, before.registrant.may);
}

function settled<T>(asked: T | null | undefined, before: T | undefined): T | undefined {
  return asked === null ? undefined : (asked ?? before);
}
