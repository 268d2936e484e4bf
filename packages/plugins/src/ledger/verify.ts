// The node checks its own log: each entry against its header, each header against the tree, and the tree against the
// checkpoint that the node signs. It goes in slices, and lets everything else go on between them. Somebody else's check
// of the node is `capstan log verify` on the file, and receipts.

import { setImmediate as otherWork } from "node:timers/promises";
import {
  CompactRange,
  checkEntry,
  contentName,
  type Envelope,
  type Fault,
  FaultError,
  fault,
  ProofError,
  type Reader,
  type StoredEntry,
} from "@capstan/orchestrator";
import { checkKept } from "./history.ts";
import { base64, checkpointNow } from "./prove.ts";

/** Entries that are checked at once: a few milliseconds. */
const SLICE = 200;
const LEAF_SLICE = 2048;
const HASH_BYTES = 32;

interface Problem {
  readonly entry?: number;
  readonly code: string;
  readonly message: string;
}

export async function answerVerify(envelope: Envelope, reader: Reader) {
  const asked = envelope.message.data as { readonly from?: number; readonly to?: number };
  const { note, checkpoint } = await checkpointNow(reader);
  const from = asked.from ?? reader.first;
  checkKept(reader, from);
  if (asked.to !== undefined) checkKept(reader, asked.to);
  const to = Math.min(asked.to ?? checkpoint.size, checkpoint.size);
  // Of none "no problem" would be said, and believed.
  if (asked.from !== undefined && from > to) throw new FaultError(nothingToVerify(asked, checkpoint.size));
  const checked = await checkEntries(reader, from, to);
  const root = checked.problem === undefined ? await rootOf(reader, checkpoint.size) : undefined;
  const problem =
    checked.problem ??
    (root !== undefined && base64(root) === base64(checkpoint.root)
      ? undefined
      : { code: "PROOF_INVALID", message: "the root over the leaves is not the one that the checkpoint has" });
  return {
    ...{ from, to, entries: checked.entries, erased: checked.erased, leaves: checkpoint.size },
    ...{ root: base64(checkpoint.root), checkpoint: note },
    ...(problem === undefined ? {} : { problem }),
  };
}

function nothingToVerify({ from, to = from }: { readonly from?: number; readonly to?: number }, size: number): Fault {
  if (from !== undefined && from > size)
    return fault("ENTRY_NOT_FOUND", `the log has ${size} entries, and not yet ${from}`);
  return fault(
    "MESSAGE_INVALID",
    `log.verify: from entry ${from} to ${to} there is none; "to" has to be ${from} at least`,
  );
}

/** How many were found as they were logged, and the first that was not. */
async function checkEntries(reader: Reader, from: number, to: number) {
  let entries = 0;
  let erased = 0;
  let most = SLICE;
  for (let at = from; at <= to; await otherWork()) {
    // What is compacted away meanwhile was not missing.
    at = Math.max(at, reader.first);
    const limit = Math.min(most, to - at + 1);
    try {
      const leaves = await reader.proofs.tree.leaves(at - 1, limit);
      const slice = await reader.entries(at, { limit });
      if (slice.length === 0 && reader.first <= at) throw new ProofError("ENTRY_INVALID", `entry ${at} is missing`);
      for (const [i, stored] of slice.entries()) {
        if (stored.seq !== at) throw new ProofError("ENTRY_INVALID", `entry ${at} is missing`);
        erased += await checkOne(reader, stored, leaves.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
        entries++;
        at++;
      }
    } catch (thrown) {
      if (at < reader.first) continue;
      // The log refused the slice for what is somewhere in it: one by one they tell where.
      if (thrown instanceof FaultError && most > 1) most = 1;
      else return { entries, erased, problem: problemOf(thrown, at) };
    }
  }
  return { entries, erased, problem: undefined };
}

/** Answers how many of its parts were erased. @throws ProofError, FaultError LOG_DAMAGED */
async function checkOne(reader: Reader, stored: StoredEntry, leaf: Uint8Array): Promise<number> {
  const checked = checkEntry(stored.text);
  if (base64(checked.leaf) !== base64(leaf)) {
    throw new ProofError("PROOF_INVALID", "the header is not the one of which the tree has the hash");
  }
  for (const part of checked.parts) {
    if (part.kind !== "blob") continue;
    const content = await reader.blob(part.name);
    if (content === undefined || contentName(content) !== part.name) {
      // It may have been erased since the entry was read.
      const [again] = await reader.entries(stored.seq, { limit: 1 });
      if (again !== undefined && again.seq === stored.seq && again.text !== stored.text)
        return checkOne(reader, again, leaf);
      throw new ProofError("ENTRY_INVALID", `the content of part ${part.letter}, ${part.name}, is missing or altered`);
    }
  }
  return checked.erased.length;
}

async function rootOf({ proofs: { tree } }: Reader, size: number): Promise<Uint8Array> {
  const range = new CompactRange();
  while (range.size < size) {
    const hashes = await tree.leaves(range.size, Math.min(LEAF_SLICE, size - range.size));
    for (let at = 0; at < hashes.length; at += HASH_BYTES) range.append(hashes.subarray(at, at + HASH_BYTES));
    await otherWork();
  }
  return range.root();
}

/** @throws what is neither: a bug */
function problemOf(thrown: unknown, entry: number): Problem {
  if (thrown instanceof ProofError || thrown instanceof FaultError) {
    return { entry, code: thrown.code, message: thrown.message };
  }
  throw thrown;
}
