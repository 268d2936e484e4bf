// A recorded message, put back together: the envelope as it was decided, and what was said of it. The rows of session tables
// that it read are among its facts, where the kernel put them after the decision.

import type { DecodedEntry } from "../log/entry.ts";
import { deepFreeze, type Envelope, type Facts, NO_FACTS } from "../message/message.ts";
import type { Body, Trace } from "../pipeline/recorder.ts";
import { type Judged, recordedJudgement } from "./judgement.ts";
import { type Blobs, partOf } from "./recorded-rows.ts";

/** `[table, key, row]`; `null` where there was no such row. */
export type SessionRow = readonly [table: string, key: string, row: unknown];

export interface RecordedMessage {
  readonly entry: number;
  readonly name: string;
  readonly envelope: Envelope;
  readonly sessionRows: readonly SessionRow[];
  readonly trace: Trace;
  readonly judged: Judged;
}

const NEEDED = [
  ["b", "its body was erased"],
  ["f", "its facts were erased"],
  ["t", "its trace was erased, and with it what was said of it"],
] as const;

/** The message of an entry; or why it cannot be decided again. */
export async function recordedMessage(
  log: Blobs,
  entry: DecodedEntry,
): Promise<RecordedMessage | { readonly undecidable: string }> {
  for (const [part, why] of NEEDED) if (entry.stored(part)?.kind === "erased") return { undecidable: why };
  const { header } = entry;
  const body = (await partOf(log, entry, "b")) as Body | undefined;
  const trace = (await partOf(log, entry, "t")) as Trace | undefined;
  const recorded = ((await partOf(log, entry, "f")) ?? NO_FACTS) as Facts;
  // Erased between reading the entry and reading what is kept beside it.
  if (body === undefined || trace === undefined) return { undecidable: "a part of it was erased" };
  const { $session, ...facts } = recorded;
  const [resource = "", action = ""] = header.message.split(".");
  const envelope: Envelope = {
    id: header.id,
    message: { resource, action, data: body.data },
    ...{ node: header.node, principal: header.principal, grant: header.grant, may: body.may },
    ...{
      at: header.at,
      cause: header.cause,
      traceparent: body.traceparent,
      correlation: body.correlation,
      key: body.key,
      request: body.request,
    },
    ...{ deadline: body.deadline, hops: body.hops ?? 0, via: body.via ?? [] },
    ...{ facts, internal: body.internal === true },
  };
  return {
    entry: entry.seq,
    name: header.message,
    envelope: deepFreeze(envelope),
    sessionRows: ($session ?? []) as readonly SessionRow[],
    trace,
    judged: recordedJudgement(header, trace),
  };
}
