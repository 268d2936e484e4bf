// A log for the tests of backups: entries of the real form with rows that come and go, parts that are kept beside them, parts
// that were erased, a key that signs for its node; and everything that can be asked of it, in one value to be compared.

import { type sampleMaker, T0 } from "../log/conformance/sample.ts";
import { encodeEntry, encodeRows, saltMaker } from "../log/entry.ts";
import type { Log, NewEntry, Restoration, RowChange } from "../log/log.ts";
import { signerOf } from "../notary/signer.ts";
import { erasureTable, nodeKeyTable, numberKey, restorationTable } from "../pipeline/kernel-tables.ts";
import { formatCheckpoint } from "../proof/checkpoint.ts";
import { type Signer, signNote } from "../proof/note.ts";

export const NODE = "n-7f3a1b2c";
export const signer: Signer = await signerOf(NODE, new Uint8Array(32).fill(7));
export const TABLES = ["note", nodeKeyTable.name, erasureTable.name];
const salt = saltMaker((bytes) => bytes.fill(1));

type Sample = ReturnType<typeof sampleMaker>;

interface Wish {
  readonly message?: string;
  readonly rows?: readonly RowChange[];
  readonly body?: unknown;
  readonly erases?: NewEntry["erases"];
}

function written(
  sample: Sample,
  { message = "note.write", rows = [], body = { data: {} }, erases = [] }: Wish,
): NewEntry {
  const { id, at } = sample.entry();
  const header = { id, at, message, node: NODE, principal: "Zoë", grant: "g-1", cause: undefined, verdict: "done" };
  const parts = { b: JSON.stringify(body), r: encodeRows(rows), t: '{"verdicts":[]}' };
  return { id, at, ...encodeEntry(header, parts, salt), rows, erases };
}

/** The first entry, which admits the key. */
export function admission(sample: Sample): NewEntry {
  const key = Buffer.from(signer.publicKey).toString("base64url");
  const row = { table: nodeKeyTable.name, key, json: JSON.stringify({ node: NODE, from: 1 }) };
  return written(sample, { message: "pipeline.adopt", rows: [row] });
}

/** Entries from where the log ends up to `head`, in groups of up to 50. */
export async function grow(log: Log, sample: Sample, head: number): Promise<void> {
  while (log.head < head) {
    const group = Array.from({ length: Math.min(50, head - log.head) }, (_, i) => {
      const seq = log.head + i + 1;
      if (seq === 1) return admission(sample);
      // Every tenth entry's body is too long to stand in it, and each is the same as that of another entry.
      const data = seq % 10 === 0 ? `é${seq % 40}`.repeat(40_000) : seq;
      return written(sample, { rows: rowsOf(seq), body: { data } });
    });
    await log.append(log.head, group);
  }
}

/** One row that stays, one that is overwritten, and one that is removed two entries later. */
function rowsOf(seq: number): readonly RowChange[] {
  return [
    { table: "note", key: `stays-${seq}`, json: JSON.stringify({ seq, text: "é\u2028\ud83e\udd9c" }) },
    { table: "note", key: `latest-${seq % 7}`, json: JSON.stringify({ 10: "ten", 2: "two", seq }) },
    { table: "note", key: `goes-${seq}`, json: "1" },
    { table: "note", key: `goes-${seq - 2}`, json: undefined },
  ];
}

/** Compacts: states every row again in an entry, forgets what was before, and says so. */
export async function compact(log: Log, sample: Sample): Promise<void> {
  const rows = (await Promise.all(TABLES.map((table) => log.rows(table, { limit: 10_000 })))).flat();
  const before = log.head;
  await log.append(log.head, [written(sample, { message: "log.compact", rows, body: { data: { before } } })]);
  for (let first = 0; first !== log.first; await log.trim(before, [])) first = log.first;
  const data = { before, first: log.first };
  await log.append(log.head, [written(sample, { message: "log.trimmed", body: { data } })]);
}

/** Records a restore, as a node does at its start after one. */
export async function recordRestore(log: Log, sample: Sample, restoration: Restoration): Promise<void> {
  const row = { ...restoration, entry: log.head + 1 };
  const rows = [{ table: restorationTable.name, key: numberKey(restoration.epoch), json: JSON.stringify(row) }];
  await log.append(log.head, [written(sample, { message: "log.restored", rows })]);
}

/** Erases an entry's body, and says so. */
export async function erase(log: Log, sample: Sample, seq: number): Promise<void> {
  const rows = [{ table: erasureTable.name, key: numberKey(seq), json: JSON.stringify({ body: log.head + 1 }) }];
  const body = { data: { entry: seq, parts: ["body"], reason: "asked for" } };
  await log.append(log.head, [written(sample, { message: "log.redact", rows, body, erases: [{ seq, parts: ["b"] }] })]);
}

interface Signing {
  readonly by?: Signer;
  readonly restored?: Restoration;
}

/** A checkpoint of it as it is now. */
export async function checkpointOf(log: Log, { by = signer, restored }: Signing = {}): Promise<string> {
  const { id, head, epoch, tree } = log;
  const declared = restored && { ...restored, root: Buffer.from(restored.root, "base64") };
  const signed = { log: id, size: head, root: await tree.root(), epoch, at: T0 };
  return signNote(formatCheckpoint({ ...signed, ...(declared && { restored: declared }) }), by);
}

/** What a log says to whoever asks, up to the entry. */
export async function contentOf(log: Log, head = log.head) {
  const entries = (await log.read(log.first, { limit: 10_000 })).filter(({ seq }) => seq <= head);
  const blobs: (string | undefined)[] = [];
  for (const name of new Set(entries.flatMap(({ text }) => text.match(/sha256-[0-9a-f]{64}/g) ?? []))) {
    blobs.push(await log.blob(name));
  }
  return {
    ...{ id: log.id, first: log.first, head, entries, blobs },
    root: Buffer.from(await log.tree.root(head)).toString("hex"),
    tables: await Promise.all(TABLES.map((table) => log.rows(table, { limit: 10_000 }))),
  };
}
