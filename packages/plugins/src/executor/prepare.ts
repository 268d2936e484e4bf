// What the executor has to know before a decision: what a protocol finds out about an action, and what a finished execution
// was asked.

import {
  decidedAs,
  type Envelope,
  entryOf,
  type Facts,
  fault,
  messageOfRequest,
  messageUnderKey,
  type NodeInfo,
  outcomeOf,
  type Reader,
  siblingId,
} from "@capstan/orchestrator";
import {
  type ActionRow,
  actionTable,
  INSPECTED,
  type Inspected,
  type Task,
  type Transform,
} from "../registry/schema.ts";
import { heldPerforms } from "./execution/held-calls.ts";
import type { Protocols } from "./protocols.ts";
import { executionTable, ORIGINAL, type Original, type Publication, RECALLED, REQUESTED } from "./schema.ts";

type Asked = Pick<Task, "name"> &
  Partial<Pick<ActionRow, "protocol" | "configuration" | "input" | "output">> & {
    /** `null` takes it away. */
    readonly transform?: Transform | null;
  };

export async function inspectAction(protocols: Protocols, envelope: Envelope, reader: Reader): Promise<Facts> {
  const asked = envelope.message.data as Asked;
  const facts = await inspectTask(protocols, asked, reader.get(actionTable, asked.name), reader.node);
  if (!(facts[INSPECTED] as Inspected).receives) return facts;
  const text = `${asked.name}: that is a receiver, and no action; use receiver.register`;
  return { [INSPECTED]: { fault: fault("MODULE_INVALID", text) } };
}

/**
 * The fact `action.inspected`: an `Inspected`, or the fault that the registration is refused with. `before` is the task as it
 * is, where there is one.
 */
export async function inspectTask(
  protocols: Protocols,
  asked: Asked,
  before: (Task & Partial<Pick<ActionRow, "input" | "output">>) | undefined,
  node: NodeInfo,
): Promise<Facts> {
  const protocol = asked.protocol ?? before?.protocol ?? "module";
  const same = before?.protocol === protocol ? before : undefined;
  const configuration = asked.configuration ?? same?.configuration ?? {};
  const transform = asked.transform === null ? undefined : (asked.transform ?? before?.transform);
  const found = await protocols.inspect(
    { name: asked.name, protocol, configuration, ...(transform === undefined ? {} : { transform }) },
    node,
  );
  if ("code" in found) return { [INSPECTED]: { fault: found } };
  const inspected: { -readonly [K in keyof Inspected]: Inspected[K] } = { ...found };
  // What the protocol takes is what the transform gives: of the task's own input it says nothing.
  for (const side of ["input", "output"] as const) {
    if (transform?.[side] === undefined) continue;
    inspected[side] = asked[side] ?? (before?.transform?.[side] === undefined ? true : before[side]);
  }
  return { [INSPECTED]: inspected };
}

const LONGEST_WAIT_MS = 5000;

/** The facts `execution.recalled` and `execution.requested`; none where nothing was performed under that key, or is done here for that request. */
export async function recalledOf({ message, principal, via }: Envelope, reader: Reader): Promise<Facts> {
  const { under, request } = message.data as { readonly under: string; readonly request?: string };
  // Keys are read as of what is durable, and what is taken back may have been asked a moment ago.
  await reader.durableAfter(reader.revision - 1, LONGEST_WAIT_MS);
  const id = await messageUnderKey(reader, principal, under);
  // Requests are other nodes' to speak of.
  const of = request === undefined || via.length === 0 ? undefined : await messageOfRequest(reader, request);
  return {
    ...(id === undefined ? {} : { [RECALLED]: siblingId(await decidedAs(reader, id), "x") }),
    ...(of === undefined ? {} : { [REQUESTED]: siblingId(await decidedAs(reader, of), "x") }),
    ...(await heldPerforms(reader, [id, of])),
  };
}

interface OriginalData {
  readonly name: string;
  readonly at?: string;
  readonly origin?: string;
  readonly input?: unknown;
  readonly publication?: "with" | Publication;
}

/** The fact `execution.original`; none where there is no such execution. */
export async function originalOf(envelope: Envelope, reader: Reader): Promise<Facts> {
  const { id } = envelope.message.data as { id: string };
  const entry = await entryOf(reader, siblingId(id, "m"));
  // A performing that was refused is none: trying it again would go around the refusal.
  if (entry?.header.message !== "action.perform" || entry.header.verdict !== "done") return {};
  const body = (await reader.part(entry, "b")) as { data?: OriginalData; request?: string } | undefined;
  const asked = body?.data;
  if (asked === undefined) return {};
  const row = reader.get(executionTable, id);
  const outcome = row?.state === "running" ? undefined : await outcomeOf(reader, entry);
  const original: Original = {
    name: asked.name,
    input: asked.input,
    ...(asked.at === undefined ? {} : { at: asked.at }),
    ...(asked.origin === undefined ? {} : { origin: asked.origin }),
    ...(body?.request === undefined ? {} : { requested: true as const }),
    message: entry.header.id,
    principal: entry.header.principal,
    grant: entry.header.grant,
    state: row?.state ?? (isKnownToHaveFailed(outcome?.outcome) ? "failed" : "done"),
    ...(asked.publication === undefined || asked.publication === "with" ? {} : { publication: asked.publication }),
    ...(outcome === undefined ? {} : { ended: outcome.seq }),
  };
  return { [ORIGINAL]: original };
}

/** What came of it may have been erased: then it may have been done, and is not tried again. */
function isKnownToHaveFailed(
  outcome: NonNullable<Awaited<ReturnType<typeof outcomeOf>>>["outcome"] | undefined,
): boolean {
  return outcome === undefined || (outcome.kind === "failed" && outcome.error.code !== "PART_ERASED");
}
