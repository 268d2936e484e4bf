// Checks that a peer's new checkpoint is consistent with the one that this node holds of the same log, and otherwise finds the first differing entry. A
// witness cosigns only a checkpoint that is `good` here (https://c2sp.org/tlog-witness).

import {
  type Checkpoint,
  LEAVES_KEPT,
  LeafWindow,
  ProofError,
  proofBeginsAt,
  verifyContinuation,
  verifyInclusion,
} from "@capstan/orchestrator";
import { type LogOfPeer, Unanswered } from "./log-of-peer.ts";
import { type AlertKind, LEAVES_A_PAGE } from "./witness-schema.ts";

export interface Known {
  readonly checkpoint: Checkpoint;
  readonly leaves: LeafWindow | undefined;
}

export type Verdict =
  /** `leaves`: of the whole log. `kept`: the log was restored, and this many entries are unchanged. */
  | { readonly kind: "good"; readonly leaves: LeafWindow; readonly kept?: number }
  | { readonly kind: "found"; readonly found: AlertKind; readonly entry?: number; readonly why: string }
  /** Unknown: the peer gave no valid answer. */
  | { readonly kind: "unproved"; readonly why: string };

/** @param held the checkpoint and leaves that this node holds; `undefined` for the first checkpoint, which is accepted as it is */
export async function examine(held: Known | undefined, shown: Checkpoint, peer: LogOfPeer): Promise<Verdict> {
  try {
    return held === undefined
      ? { kind: "good", leaves: await fetchLeaves(LeafWindow.empty, shown, peer) }
      : await checkContinuation(held, shown, peer);
  } catch (thrown) {
    if (thrown instanceof Unanswered) return { kind: "unproved", why: thrown.message };
    throw thrown;
  }
}

async function checkContinuation(held: Known, shown: Checkpoint, peer: LogOfPeer): Promise<Verdict> {
  const { checkpoint: older, leaves } = held;
  if (shown.log !== older.log) {
    const why = `it shows another log, ${shown.log}, and showed ${older.log} up to entry ${older.size}`;
    return { kind: "found", found: "replaced", why };
  }
  const from = proofBeginsAt(older, shown);
  const restored = from === older.size ? undefined : from;
  if (shown.epoch < older.epoch || from > shown.size) {
    const began = `it has ${shown.size} entries in epoch ${shown.epoch}, had ${older.size} in epoch ${older.epoch}, and declares no restore`;
    return found("rewound", began, held, shown, peer);
  }
  const { proof } = from === 0 || from === shown.size ? { proof: [] } : await peer.prove({ to: shown.size, from });
  try {
    verifyContinuation(older, shown, proof);
  } catch (thrown) {
    if (!(thrown instanceof ProofError)) throw thrown;
    return found("forked", thrown.message, held, shown, peer);
  }
  // What a restore declares to have kept can be checked only where the leaves are known.
  const start = leaves?.cut(from);
  if (restored !== undefined && start !== undefined && !same(start.root(from), shown.restored?.root)) {
    const why = `the ${restored} entries that it says a restore kept are not those that it had`;
    return found("forked", why, held, shown, peer);
  }
  const now = await fetchLeaves(start ?? LeafWindow.empty, shown, peer);
  return { kind: "good", leaves: now, ...(restored === undefined ? {} : { kept: restored }) };
}

/** Fetches the leaves of the shown log that a witness keeps. @throws Unanswered where they do not have the checkpoint's root */
async function fetchLeaves(start: LeafWindow, { size, root }: Checkpoint, peer: LogOfPeer): Promise<LeafWindow> {
  let window = start;
  if (size - start.size > LEAVES_KEPT) {
    const base = size - LEAVES_KEPT;
    const { peaks } = await peer.prove({ to: size, base });
    window = peaksOf(base, peaks);
  }
  // Page by page, because tens of thousands of hashes at once would hold up everybody else.
  while (window.size < size)
    window = window.grown(await peer.leaves(window.size + 1, Math.min(size - window.size, LEAVES_A_PAGE)));
  if (!same(window.root(size), root)) throw new Unanswered("the leaves that it gave are not those that it signed");
  return window;
}

function peaksOf(base: number, peaks: readonly Uint8Array[]): LeafWindow {
  try {
    return LeafWindow.from(base, peaks);
  } catch {
    throw new Unanswered(`it gave ${peaks.length} hashes for the tree of ${base} entries`);
  }
}

async function found(
  kind: AlertKind,
  began: string,
  { checkpoint, leaves }: Known,
  shown: Checkpoint,
  peer: LogOfPeer,
): Promise<Verdict> {
  const { entry, how } = await firstDifferent(checkpoint, leaves, shown, peer);
  return { kind: "found", found: kind, why: `${began}; ${how}`, ...(entry === undefined ? {} : { entry }) };
}

/** The first entry that was changed or is missing. */
async function firstDifferent(
  older: Checkpoint,
  leaves: LeafWindow | undefined,
  shown: Checkpoint,
  peer: LogOfPeer,
): Promise<{ readonly entry?: number; readonly how: string }> {
  const missing = { entry: shown.size + 1, how: `entry ${shown.size + 1} is gone` };
  if (leaves === undefined) return { how: "which of them, nothing that is kept tells" };
  const end = Math.min(leaves.size, shown.size);
  if (end <= leaves.base && shown.size < older.size) return missing;
  try {
    for (let from = leaves.base + 1; from <= end; from += LEAVES_A_PAGE) {
      const count = Math.min(LEAVES_A_PAGE, end - from + 1);
      const page = await peer.leaves(from, count);
      for (let i = 0; i < count; i++) {
        const entry = from + i;
        const leaf = page.subarray(i * 32, (i + 1) * 32);
        if (same(leaf, leaves.leaf(entry))) continue;
        // An entry counts against the log only where the log itself signed that it has it.
        if (await provesInclusion(leaf, entry, shown, peer))
          return { entry, how: `entry ${entry} is another than it was` };
        return { how: `it shows another entry ${entry} than it had, and does not prove that it signed that` };
      }
    }
  } catch (thrown) {
    if (!(thrown instanceof Unanswered)) throw thrown;
    return { how: `which of them, it does not show: ${thrown.message}` };
  }
  if (shown.size < older.size) return missing;
  const before = leaves.base === 0 ? "" : `, or it is one of entries 1 to ${leaves.base}, of which no leaves are kept`;
  return { how: `which of them, it does not show${before}` };
}

async function provesInclusion(
  leaf: Uint8Array,
  entry: number,
  { size, root }: Checkpoint,
  peer: LogOfPeer,
): Promise<boolean> {
  const { inclusion: proof } = await peer.prove({ to: size, entry });
  return verifyInclusion({ index: entry - 1, size, leaf, proof, root });
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;
}
