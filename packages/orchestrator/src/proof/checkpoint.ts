// A checkpoint: a log's size and the root of its Merkle tree, as the log signs them. The text is that of https://c2sp.org/tlog-checkpoint
// with our own lines after it, signed as a note (note.ts).

import { readBase64, readNumber, writeBase64 } from "./canonical.ts";
import { EMPTY_ROOT, equal, HASH_BYTES } from "./merkle.ts";
import { type VerifierKey, verifyNote } from "./note.ts";
import { ProofError } from "./proof-error.ts";

/** What a log signs: its size and the root of its tree, with the log's own lines. */
export interface Checkpoint {
  /** `capstan/` and the log's id. */
  readonly origin: string;
  /** The log's id: `l-` and 26 letters or digits. */
  readonly log: string;
  /** Entries. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** The number of the node's start that signed it; grows with each start. */
  readonly epoch: number;
  /** When it was signed, in milliseconds since 1970, by the node's clock. */
  readonly at: number;
  /** The log's latest restore: the epoch that it began, and the size and root of the backup. */
  readonly restored?: { readonly epoch: number; readonly size: number; readonly root: Uint8Array };
}

/** A verifier key; `until` is the entry that retired it: the key is not valid for larger checkpoints. */
export interface CheckpointKey extends VerifierKey {
  readonly until?: number | undefined;
}

/** The text that is signed. */
export function formatCheckpoint(checkpoint: Omit<Checkpoint, "origin">): string {
  const { log, size, root, epoch, at, restored } = checkpoint;
  const lines = [`capstan/${log}`, size, writeBase64(root), `epoch ${epoch}`, `at ${at}`];
  if (restored !== undefined) {
    lines.push(`restored ${restored.epoch} ${restored.size} ${writeBase64(restored.root)}`);
  }
  return `${lines.join("\n")}\n`;
}

const SHAPE =
  /^(capstan\/(l-[0-9A-Za-z]{26}))\n([0-9]+)\n([^\n]+)\nepoch ([0-9]+)\nat ([0-9]+)\n(?:restored ([0-9]+) ([0-9]+) ([^\n]+)\n)?$/;

/** Parses a checkpoint's text, without verifying any signature. @throws ProofError CHECKPOINT_INVALID */
export function parseCheckpoint(text: string): Checkpoint {
  const match = SHAPE.exec(text);
  if (match === null) throw malformed("the text is no checkpoint of a log of Capstan's");
  const [, origin = "", log = "", sizeText = "", rootText = "", epoch = "", at = "", ...restore] = match;
  const size = numberOf(sizeText, "size");
  const root = rootOf(rootText);
  if (size === 0 && !equal(root, EMPTY_ROOT)) throw malformed("the root is not that of an empty log");
  const checkpoint = { origin, log, size, root, epoch: numberOf(epoch, "epoch"), at: numberOf(at, "time") };
  const [restoredEpoch, restoredSize = "", restoredRoot = ""] = restore;
  if (restoredEpoch === undefined) return checkpoint;
  const restored = {
    epoch: numberOf(restoredEpoch, "restore's epoch"),
    size: numberOf(restoredSize, "restore's size"),
    root: rootOf(restoredRoot),
  };
  if (restored.size > size || restored.epoch > checkpoint.epoch) throw malformed("it was restored to a later state");
  return { ...checkpoint, restored };
}

/**
 * The checkpoint in a note that one of these keys signed.
 * @throws ProofError CHECKPOINT_INVALID, SIGNATURE_INVALID
 */
export async function verifyCheckpoint(note: string, keys: readonly CheckpointKey[]): Promise<Checkpoint> {
  const { text, signers } = await verifyNote(note, keys);
  const checkpoint = parseCheckpoint(text);
  if (signers.some(({ until }) => until === undefined || checkpoint.size <= until)) return checkpoint;
  const [{ name, until } = { name: "", until: 0 }] = signers;
  throw new ProofError(
    "SIGNATURE_INVALID",
    `the key of ${name} was retired at entry ${until}, and the checkpoint is of ${checkpoint.size} entries`,
  );
}

function numberOf(text: string, what: string): number {
  const number = readNumber(text);
  if (number === undefined) throw malformed(`its ${what} is no number from 0 to 2^53 - 1 without leading zeros`);
  return number;
}

function rootOf(text: string): Uint8Array {
  const root = readBase64(text);
  if (root?.length !== HASH_BYTES) throw malformed("its root is no SHA-256 in base64");
  return root;
}

function malformed(why: string): ProofError {
  return new ProofError("CHECKPOINT_INVALID", `the checkpoint is malformed: ${why}`);
}
