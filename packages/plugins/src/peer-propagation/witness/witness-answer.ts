// Answers of the witness messages: to operators, the state of the peers' logs; to peers, proofs that this node's log only grew.

import { cosigned, type Envelope, FaultError, fault, printable, type Reader } from "@capstan/orchestrator";
import { peerNameOf } from "../names.ts";
import type { Peering } from "../peering.ts";
import { type PeerRow, peerTable } from "../schema.ts";
import { unknownPeer } from "../unknown-peer.ts";
import { AskedPeer, type HeldPage, Unanswered } from "./log-of-peer.ts";
import { LEAVES_A_PAGE, witnessTable } from "./witness-schema.ts";

const PAGE = 100;
const HASH_BYTES = 32;

interface PageAsked {
  readonly from?: number;
  readonly count?: number;
}

interface HeldAsked extends PageAsked {
  readonly log: string;
  readonly name?: string;
}

export function witnessAnswers(peering: Peering) {
  return {
    "witness.list": ({ message }: Envelope, reader: Reader) => {
      const { after, limit = PAGE } = message.data as { readonly after?: string; readonly limit?: number };
      const names = [...reader.rows(peerTable)].map(([name]) => name);
      const wanted = names.filter((name) => after === undefined || name > after).sort();
      const items = wanted.slice(0, limit).map((name) => shownWitness(peering, reader, rowOf(reader, name)));
      return { items, ...(wanted.length > limit ? { next: wanted[limit - 1] as string } : {}) };
    },
    "witness.show": ({ message }: Envelope, reader: Reader) => {
      const row = rowOf(reader, (message.data as { readonly name: string }).name);
      const held = row.node === undefined ? undefined : peering.witness?.heldOf(row.node);
      const alert = row.node === undefined ? undefined : reader.get(witnessTable, row.node)?.alert;
      return {
        ...shownWitness(peering, reader, row),
        ...(held === undefined ? {} : { checkpoint: cosigned(held.note, [held.line]) }),
        ...(alert === undefined ? {} : { evidence: { held: alert.held, shown: alert.shown } }),
      };
    },
    "witness.held": (envelope: Envelope, reader: Reader) => answerHeld(peering, envelope, reader),
    "witness.fetch": async ({ message }: Envelope, reader: Reader): Promise<HeldPage> => {
      const { name, ...page } = message.data as PageAsked & { readonly name: string };
      const { node } = rowOf(reader, name);
      const ask = node === undefined ? undefined : peering.running()?.host.linkOf(node)?.ask;
      if (ask === undefined || peering.runtime === undefined)
        throw new FaultError(fault("PEER_UNREACHABLE", `${name}: there is no session with it now; peer.show says why`));
      try {
        return await new AskedPeer(ask, peering.runtime.timers).held({ log: reader.proofs.log, ...page });
      } catch (thrown) {
        if (!(thrown instanceof Unanswered)) throw thrown;
        throw new FaultError(fault("PEER_UNREACHABLE", `${name}: ${printable(thrown.message, 500)}`));
      }
    },
    "witness.prove": answerProve,
    "witness.leaves": answerLeaves,
  };
}

/** The state of a peer's log, for `witness.list`, `witness.show`, `peer.list` and `peer.show`. */
export function shownWitness(peering: Peering, reader: Reader, { name, node }: PeerRow) {
  if (node === undefined) return { name, state: "nothing" as const };
  const alert = reader.get(witnessTable, node)?.alert;
  const held = peering.witness?.heldOf(node);
  const trouble = peering.witness?.trouble(node);
  const ours = peering.witness?.own.of(node);
  const state = alert?.kind ?? (trouble !== undefined ? "unproved" : held === undefined ? "nothing" : "cosigned");
  const why = alert?.why ?? trouble?.why;
  const restored = held?.checkpoint.restored;
  return {
    ...{ name, node, state },
    ...(held === undefined ? {} : { log: held.checkpoint.log, size: held.checkpoint.size, at: held.time * 1000 }),
    ...(alert === undefined ? {} : { log: alert.log, foundAt: alert.at, message: alert.message }),
    ...(alert?.entry === undefined ? {} : { entry: alert.entry }),
    ...(why === undefined ? {} : { why }),
    ...(restored === undefined ? {} : { restored: { epoch: restored.epoch, size: restored.size } }),
    // The reverse direction: how far that peer has cosigned this node's log.
    ...(ours === undefined ? {} : { ours: { size: ours.size, at: ours.time * 1000 } }),
  };
}

function answerHeld(peering: Peering, { message, principal }: Envelope, reader: Reader): HeldPage {
  const { log, name, from, count = LEAVES_A_PAGE } = message.data as HeldAsked;
  // A peer is only told about its own node's log, even if another peer claims the same log id.
  const whose = peerNameOf(principal) ?? name;
  const node = whose === undefined ? undefined : reader.get(peerTable, whose)?.node;
  const held = peering.witness?.held.byLog(log).find((one) => whose === undefined || one.node === node);
  if (held === undefined)
    throw new FaultError(
      fault("WITNESS_NOTHING", `this node holds nothing of ${log}; witness.list names what it does`),
    );
  const { note, line, checkpoint, leaves } = held;
  const answer = { log, checkpoint: cosigned(note, [line]), size: checkpoint.size };
  if (leaves === undefined) return { ...answer, base: checkpoint.size, peaks: [] };
  const first = Math.max(from ?? 0, leaves.base + 1);
  const at = (first - 1 - leaves.base) * HASH_BYTES;
  const page = leaves.hashes.subarray(at, at + count * HASH_BYTES);
  return { ...answer, base: leaves.base, peaks: leaves.peaks.map(base64), from: first, leaves: base64(page) };
}

async function answerProve({ message }: Envelope, { proofs: { tree, log } }: Reader) {
  const { to, from, base, entry } = message.data as Readonly<
    Record<"to" | "from" | "base" | "entry", number | undefined>
  > & {
    readonly to: number;
  };
  if (to > tree.size || Math.max(from ?? 0, base ?? 0, entry ?? 0) > to || base === to) {
    const text = `witness.prove: of the log of ${to} entries that cannot be proven; it has ${tree.size}`;
    throw new FaultError(fault("MESSAGE_INVALID", text));
  }
  return {
    log,
    ...(from === undefined ? {} : { proof: (await tree.consistency(from, to)).map(base64) }),
    // The inclusion proof of leaf `base` in the tree of `base + 1` leaves consists of the peaks of the first `base` leaves, the smallest first.
    ...(base === undefined ? {} : { peaks: (await tree.inclusion(base, base + 1)).map(base64).reverse() }),
    ...(entry === undefined ? {} : { inclusion: (await tree.inclusion(entry - 1, to)).map(base64) }),
  };
}

async function answerLeaves({ message }: Envelope, { proofs: { tree, log } }: Reader) {
  const { from, count = LEAVES_A_PAGE } = message.data as PageAsked & { readonly from: number };
  const leaves = from > tree.size ? new Uint8Array() : await tree.leaves(from - 1, count);
  return { log, from, leaves: base64(leaves) };
}

function rowOf(reader: Reader, name: string): PeerRow {
  const row = reader.get(peerTable, name);
  if (row !== undefined) return row;
  const names = [...reader.rows(peerTable)].map(([one]) => one);
  throw new FaultError(unknownPeer(name, names));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
