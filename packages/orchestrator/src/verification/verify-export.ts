// Verifies a log that a node gives out page by page, on the caller's side: its entries, and that a signed checkpoint covers them. The node is not
// trusted. Its tables are not given out, and so are not checked.

import type { BackupSource } from "../backup/backup-source.ts";
import { FaultError, fault } from "../fault/fault.ts";
import { type FoundCheckpoint, foundCheckpoint } from "./checkpoint-verdict.ts";
import { conclude, sizesOf } from "./conclusion.ts";
import { EntryVerifier } from "./entry-verifier.ts";
import { Problems } from "./problems.ts";
import type { Verification } from "./verification.ts";
import type { VerifyOptions } from "./verify-file.ts";
import { WitnessComparison } from "./witnessed-log.ts";

const HASH_BYTES = 32;

/** @throws FaultError HISTORY_GONE where the log is compacted meanwhile, and what the source throws */
export async function verifyExport(
  source: BackupSource,
  { checkpoint, witness: witnessed, keys, progress }: VerifyOptions = {},
): Promise<Verification> {
  const found: FoundCheckpoint[] = checkpoint === undefined ? [] : [foundCheckpoint("given", checkpoint)];
  if (witnessed !== undefined) found.push(foundCheckpoint("of the witness", witnessed.checkpoint));
  const witness = witnessed && new WitnessComparison(witnessed);
  found.push(foundCheckpoint("from the server", await source.checkpoint()));
  const signed = found.at(-1)?.file;
  if (signed?.kind !== "checkpoint") {
    throw new FaultError(fault("CHECKPOINT_INVALID", "what the server gives as its checkpoint is none"));
  }
  const { log, size, epoch } = signed.checkpoint;
  const first = await source.first();
  const problems = new Problems();
  const blobs = new Map<string, string>();
  const entries = new EntryVerifier({
    ...{ first, problems, sizes: sizesOf(found, []) },
    blob: (name) => blobs.get(name),
    saw: (entry, leaf) => witness?.saw(entry, leaf),
  });
  await takeLeaves(source, entries, Math.min(first - 1, size));
  let content = 0;
  for (let next = first; next <= size; ) {
    progress?.(next - 1, size);
    const page = await source.entries(next);
    blobs.clear();
    for (const { name, text } of page.blobs) blobs.set(name, text);
    content += page.blobs.length;
    if (page.entries.length === 0) break;
    for (const { entry, text } of page.entries) {
      if (entry > size) break;
      for (; next < entry; next++) {
        problems.add(`entry ${next}`, "the server does not give it out");
        entries.absent(undefined);
      }
      entries.entry(next++, text);
    }
    if ((page.entries.at(-1)?.entry ?? 0) >= size) break;
  }
  entries.finish();
  const looked = {
    witness,
    entries,
    problems,
    found,
    keys,
    log,
    first,
    epoch,
    restorations: [],
    rows: 0,
    blobs: content,
  };
  return conclude({ ...looked, notes: [] });
}

/** The leaves of entries that were compacted away. */
async function takeLeaves(source: BackupSource, entries: EntryVerifier, count: number): Promise<void> {
  while (entries.leaves < count) {
    const hashes = await source.leaves(entries.leaves, count - entries.leaves);
    if (hashes.length < HASH_BYTES) return entries.absent(undefined);
    for (let at = 0; at < hashes.length && entries.leaves < count; at += HASH_BYTES) {
      entries.absent(hashes.slice(at, at + HASH_BYTES));
    }
  }
}
