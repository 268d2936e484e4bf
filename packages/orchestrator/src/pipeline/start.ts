// A node's start: rows are loaded as the log has them (nothing is decided again), the composition is adopted if it is
// another than before, and what an epoch that is over still owed is taken over.

import { FaultError, fault } from "../fault/fault.ts";
import { decodeEntry } from "../log/entry.ts";
import type { Log } from "../log/log.ts";
import type { Composition } from "../plugin/composition.ts";
import type { NodeInfo, Reader } from "../plugin/reader.ts";
import type { Tables } from "../state/tables.ts";
import type { Committer } from "./committer.ts";
import type { Effects } from "./effects.ts";
import type { Hub } from "./hub.ts";
import { effectTable, nodeKeyTable, numberKey, pipelineTable, restorationTable } from "./kernel-tables.ts";
import type { Body } from "./recorder.ts";
import type { Tip } from "./tip.ts";

export async function loadTables(log: Log, composition: Composition, tables: Tables): Promise<void> {
  const logged = composition.tables.filter(({ kind }) => kind === "logged").map(({ name }) => name);
  for await (const { table, key, json } of log.snapshot(logged)) tables.load(table, key, JSON.parse(json));
}

/**
 * Records the composition, if the last one recorded is another (explanations name its plugins, and rehearsal needs it), and
 * admits the node's key, if it is new.
 */
export async function adoptComposition(parts: {
  readonly composition: Composition;
  readonly hub: Hub;
  readonly committer: Committer;
  readonly reader: Reader;
  /** The node's public key as a row's key; `undefined` where it has none that the log is to know. */
  readonly key: string | undefined;
}): Promise<void> {
  const { key } = parts;
  const plugins = parts.composition.description.filter(({ name }) => name !== "kernel");
  const digest = `sha256-${Bun.SHA256.hash(JSON.stringify(plugins), "hex")}`;
  let last: { key: string; digest: string } | undefined;
  for (const [name, row] of parts.reader.rows(pipelineTable)) {
    if (last === undefined || name > last.key) last = { key: name, digest: row.digest };
  }
  const isNew = key !== undefined && parts.reader.get(nodeKeyTable, key)?.node !== parts.reader.node.id;
  if (last?.digest === digest && !isNew) return;
  const entry = parts.committer.tip + 1;
  const tables = parts.composition.tables.filter(({ kind }) => kind === "logged").map(({ name }) => name);
  const taken = await parts.hub.submitOwn({
    resource: "pipeline",
    action: "adopt",
    data: { digest, plugins, entry, tables, ...(isNew ? { key } : {}) },
  });
  if (taken.kind === "refused") throw new FaultError(taken.error);
  parts.committer.flush();
  await parts.committer.whenDurable(parts.committer.tip);
}

/** Records the restores that the log went through and no entry tells of yet. */
export async function recordRestorations(parts: {
  readonly log: Log;
  readonly hub: Hub;
  readonly committer: Committer;
  readonly reader: Reader;
}): Promise<void> {
  const { log, hub, committer, reader } = parts;
  for (const restoration of log.restorations) {
    if (reader.get(restorationTable, numberKey(restoration.epoch)) !== undefined) continue;
    const taken = await hub.submitOwn({ resource: "log", action: "restored", data: restoration });
    if (taken.kind === "refused") throw new FaultError(taken.error);
  }
  committer.flush();
  await committer.whenDurable(committer.tip);
}

/** Fences this node's earlier epochs: replayable effects run again, the others are recorded as lost. */
export async function takeOver(parts: {
  readonly tip: Tip;
  readonly effects: Effects;
  readonly tables: Tables;
  readonly reader: Reader;
  readonly committer: Committer;
  readonly node: NodeInfo;
  readonly epoch: number;
}): Promise<void> {
  const { tip, effects, tables, reader, committer, node, epoch } = parts;
  const owedBefore = [...tables.rows(effectTable)].length;
  if (owedBefore === 0) return;
  for (let left = owedBefore; left > 0; ) {
    const data = { node: node.id, epoch: epoch - 1, to: epoch };
    const taken = tip.takeOwn({ resource: "node", action: "expire", data }, {});
    if (taken.kind === "refused") throw new FaultError(taken.error);
    if (taken.kind !== "done") throw new FaultError(fault("INTERNAL", "node.expire was held"));
    left = (taken.data as { left: number }).left;
  }
  committer.flush();
  await committer.whenDurable(committer.tip);
  for (const [id, row] of [...reader.rows(effectTable)]) {
    if (row.node !== node.id) continue;
    const [stored] = await reader.entries(row.seq, { limit: 1 });
    if (stored === undefined) continue;
    const entry = decodeEntry(stored);
    const { header } = entry;
    const body = (await reader.part(entry, "b")) as Body | undefined;
    const [resource = "", action = ""] = header.message.split(".");
    effects.owe({
      ...{ id, plugin: row.plugin, kind: row.kind, data: row.data, attempt: row.attempt, replayable: row.replayable },
      ...{
        owing: row.owing,
        message: { resource, action, data: body?.data },
        seq: row.seq,
        committedBy: committer.durable,
        after: row.after,
      },
      ...{ principal: header.principal, grant: header.grant, hops: body?.hops ?? 0, via: body?.via ?? [] },
      ...{ correlation: body?.correlation, traceparent: body?.traceparent },
      ...{ notBefore: row.notBefore, deadline: row.deadline, owner: { node: row.node, epoch: row.epoch } },
    });
  }
}
