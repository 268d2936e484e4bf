// What the log gives to whoever wants to believe nobody: checkpoints, receipts of entries, and proofs that it only grew.
// Here they are put together; what verifies them is the kernel's proof/, and needs nothing of this.

import {
  type Checkpoint,
  type CosignedCheckpoint,
  type Envelope,
  FaultError,
  fault,
  openNote,
  parseCheckpoint,
  RECEIPT_FORMAT,
  type Reader,
  type Receipt,
} from "@capstan/orchestrator";
import { named, notFound, numberOf } from "./history.ts";

/** How long what is asked about may take to become durable. */
const MOST_WAIT_MS = 25_000;

export async function answerHead(_envelope: Envelope, reader: Reader) {
  const { node, first, proofs } = reader;
  const whose = { node: node.id, name: node.name, log: proofs.log, first };
  await durable(reader, reader.revision);
  let signed: Signed;
  try {
    signed = await checkpointNow(reader);
  } catch (thrown) {
    // A damaged log is never signed, and still says where it ends.
    if (!(thrown instanceof FaultError) || thrown.code !== "LOG_DAMAGED") throw thrown;
    return { entries: proofs.tree.size, ...whose, state: "damaged" as const };
  }
  const { size, at, epoch, root } = signed.checkpoint;
  return { entries: size, ...whose, state: "whole" as const, root: base64(root), epoch, at };
}

export async function answerCheckpoint(_envelope: Envelope, reader: Reader) {
  await durable(reader, reader.revision);
  const { note, checkpoint } = await checkpointNow(reader);
  const { log, size, root, epoch, at } = checkpoint;
  return { log, size, root: base64(root), epoch, at, checkpoint: note };
}

export async function answerReceipt(envelope: Envelope, reader: Reader): Promise<Receipt> {
  const asked = named(envelope);
  const { witnesses = 0 } = envelope.message.data as { readonly witnesses?: number };
  const entry = await durableNumber(reader, asked);
  const { note, size } = witnesses === 0 ? await newest(reader) : await cosignedBy(reader, entry, witnesses);
  const [stored] = await reader.entries(entry, { limit: 1 });
  if (stored?.seq !== entry) throw notFound(reader, asked);
  const [header = "", ...parts] = stored.text.split("\n");
  const proof = await reader.proofs.tree.inclusion(entry - 1, size);
  return { format: RECEIPT_FORMAT, entry, header, parts, proof: proof.map(base64), checkpoint: note };
}

async function newest(reader: Reader): Promise<Pick<CosignedCheckpoint, "note" | "size">> {
  const { note, checkpoint } = await checkpointNow(reader);
  return { note, size: checkpoint.size };
}

/** The newest that so many witnesses cosigned. One of before a restore may be of entries that the log does not have any more. */
async function cosignedBy({ proofs }: Reader, entry: number, witnesses: number) {
  const { tree, cosigned } = proofs;
  for (const one of cosigned.covering(entry, witnesses)) {
    if (one.size <= tree.size && base64(await tree.root(one.size)) === base64(one.root)) return one;
  }
  const most = Math.max(0, ...cosigned.kept.filter(({ size }) => size >= entry).map((one) => one.cosignatures.size));
  const asked = witnesses === 1 ? "a witness" : `${witnesses} witnesses`;
  const text = `entry ${entry} is covered by no checkpoint that ${asked} cosigned; at most ${most} did, so far; witness.list tells of each`;
  throw new FaultError(fault("WITNESS_PENDING", text, { entry, witnesses, cosigned: most }));
}

export async function answerProof(envelope: Envelope, reader: Reader) {
  const { tree, log } = reader.proofs;
  const asked = envelope.message.data as { readonly from: number; readonly to?: number };
  await durable(reader, Math.min(asked.to ?? reader.revision, reader.revision));
  const { from, to = tree.size } = asked;
  if (Math.max(from, to) > tree.size) {
    throw new FaultError(
      fault("ENTRY_NOT_FOUND", `the log has ${tree.size} entries, and not yet ${Math.max(from, to)}`),
    );
  }
  if (from > to) {
    throw new FaultError(
      fault("MESSAGE_INVALID", `log.proof: a log of ${from} entries is not the beginning of one of ${to}`),
    );
  }
  const [fromRoot, toRoot, proof] = [await tree.root(from), await tree.root(to), await tree.consistency(from, to)];
  return { log, from, to, fromRoot: base64(fromRoot), toRoot: base64(toRoot), proof: proof.map(base64) };
}

interface Signed {
  readonly note: string;
  readonly checkpoint: Checkpoint;
}

/** A checkpoint of what is durable by now. */
export async function checkpointNow({ proofs }: Reader): Promise<Signed> {
  const note = await proofs.checkpoint();
  return { note, checkpoint: parseCheckpoint(openNote(note).text) };
}

/** What was decided and is not durable yet may still be undone: its number could become another entry's. */
async function durableNumber(
  reader: Reader,
  asked: { readonly entry?: number; readonly id?: string },
): Promise<number> {
  const before = await numberOf(reader, asked);
  await durable(reader, before);
  const entry = await numberOf(reader, asked);
  if (entry <= reader.proofs.tree.size) return entry;
  throw new FaultError(fault("LOG_UNAVAILABLE", `entry ${entry} is not durable yet; try again`));
}

async function durable(reader: Reader, entry: number): Promise<void> {
  await reader.durableAfter(entry - 1, MOST_WAIT_MS);
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
