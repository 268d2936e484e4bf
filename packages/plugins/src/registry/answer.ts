// What there is to be performed: by pages, as far as the caller's grant may read.

import { type Authority, type Envelope, FaultError, namespaceOf, type Reader } from "@capstan/orchestrator";
import { actionTable, topicOf } from "./schema.ts";
import { unknownAction } from "./unknown-action.ts";

const PAGE = 100;

export function answerList(envelope: Envelope, reader: Reader, authority: Authority) {
  const {
    namespace,
    after,
    limit = PAGE,
  } = envelope.message.data as { namespace?: string; after?: string; limit?: number };
  const names: string[] = [];
  for (const [name] of reader.rows(actionTable)) {
    if (after !== undefined && name <= after) continue;
    if (namespace !== undefined && namespaceOf(name) !== namespace && !name.startsWith(`${namespace}/`)) continue;
    if (authority.reads(name)) names.push(name);
  }
  names.sort();
  const items = names.slice(0, limit).flatMap((name) => {
    const row = reader.get(actionTable, name);
    if (row === undefined) return [];
    const { revision, protocol, input, output, idempotent, readOnly } = row;
    return [structuredClone({ name, revision, protocol, input, output, idempotent, readOnly })];
  });
  const last = items[items.length - 1];
  return { items, ...(names.length > limit && last !== undefined ? { next: last.name } : {}) };
}

export function answerDescribe(envelope: Envelope, reader: Reader, authority: Authority) {
  const { name } = envelope.message.data as { name: string };
  const row = reader.get(actionTable, name);
  if (row === undefined)
    throw new FaultError(
      unknownAction(
        name,
        [...reader.rows(actionTable)].map(([known]) => known).filter((known) => authority.reads(known)),
      ),
    );
  // A copy: the row is the state itself, and whoever embeds the orchestrator gets what is answered here.
  return structuredClone({ ...row, publishes: { topic: topicOf(name), schema: row.output } });
}
