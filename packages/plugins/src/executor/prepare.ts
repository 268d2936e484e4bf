// What the executor has to know before a decision: what a protocol finds out about an action, and what a finished execution
// was asked.

import {
  type Envelope,
  entryOf,
  type Facts,
  type Fault,
  faultOf,
  outcomeOf,
  parse,
  type Reader,
  siblingId,
} from "@capstan/orchestrator";
import { actionTable, INSPECTED, type Inspected } from "../registry/schema.ts";
import type { Protocol } from "./protocol.ts";
import { executionTable, ORIGINAL, type Original } from "./schema.ts";

/** The fact `action.inspected`: an `Inspected`, or the fault that the registry will refuse with. */
export async function inspectAction(
  protocols: ReadonlyMap<string, Protocol>,
  envelope: Envelope,
  reader: Reader,
): Promise<Facts> {
  const asked = envelope.message.data as { name: string; protocol?: string; configuration?: unknown };
  const before = reader.get(actionTable, asked.name);
  const protocol = protocols.get(asked.protocol ?? before?.protocol ?? "module");
  // An unknown protocol is for `decide` to refuse.
  if (protocol === undefined) return {};
  const sameProtocol = before?.protocol === protocol.name;
  const configuration = asked.configuration ?? (sameProtocol ? before.configuration : undefined) ?? {};
  let parsed: unknown;
  try {
    parsed = parse(`${asked.name}: ${protocol.name}`, protocol.configSchema, configuration, "CONFIG_INVALID");
  } catch (thrown) {
    return { [INSPECTED]: { fault: faultOf(thrown) } };
  }
  const invalid = protocol.validateConfig?.(parsed);
  if (invalid !== undefined) return { [INSPECTED]: { fault: invalid } };
  const inspected = (await protocol.inspect?.(parsed, reader.node)) ?? {};
  if ("code" in inspected) return { [INSPECTED]: { fault: inspected as Fault } };
  return { [INSPECTED]: { configuration: parsed, ...inspected } satisfies Inspected };
}

/** The fact `execution.original`; none where there is no such execution. */
export async function originalOf(envelope: Envelope, reader: Reader): Promise<Facts> {
  const { id } = envelope.message.data as { id: string };
  const entry = await entryOf(reader, siblingId(id, "m"));
  // A performing that was refused is none: trying it again would go around the refusal.
  if (entry?.header.message !== "action.perform" || entry.header.verdict !== "done") return {};
  const asked = ((await reader.part(entry, "b")) as { data?: { name: string; input?: unknown } } | undefined)?.data;
  if (asked === undefined) return {};
  const row = reader.get(executionTable, id);
  const outcome = row?.state === "running" ? undefined : await outcomeOf(reader, entry);
  const original: Original = {
    name: asked.name,
    input: asked.input,
    message: entry.header.id,
    principal: entry.header.principal,
    grant: entry.header.grant,
    state: row?.state ?? (isKnownToHaveFailed(outcome?.outcome) ? "failed" : "done"),
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
