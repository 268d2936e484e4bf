// How many calls of peers may be open: performings of theirs that are not over, whether they are done here or were handed on. Each is a row: while it
// runs, a day where nobody can tell what became of it, and once it is cancelled until all that were asked know. Pure.

import { type Envelope, type Fault, fault, type State, siblingId } from "@capstan/orchestrator";
import { executionTable, recallTable } from "../../executor/schema.ts";
import { peerNameOf } from "../names.ts";

/** Of one peer, where its limits say nothing; and of all together. One that runs takes some 4 kB. */
export const MOST_CALLS = 10_000;
export const MOST_CALLS_IN_ALL = 50_000;

/** @param of a peer's principal, and its node; none: all peers */
export function openCalls(
  rows: Pick<State, "count">,
  of?: { readonly principal: string; readonly node?: string | undefined },
): number {
  const cancelled = of !== undefined && of.node === undefined ? 0 : rows.count(recallTable, of?.node);
  return rows.count(executionTable, of?.principal) + cancelled;
}

interface Most {
  readonly peer: number | undefined;
  readonly all: number | undefined;
}

/** Why a peer's performing is one too many. What joins another is none. */
export function tooMany(
  state: Pick<State, "get" | "count">,
  { id, principal, via }: Pick<Envelope, "id" | "principal" | "via">,
  { peer = MOST_CALLS, all = MOST_CALLS_IN_ALL }: Most,
): Fault | undefined {
  const row = state.get(executionTable, siblingId(id, "x"));
  if (row === undefined) return undefined;
  // This one is among them already.
  const isOver = openCalls(state, { principal, node: via.at(-1) }) > peer;
  if (!isOver && openCalls(state) <= all) return undefined;
  const whose = isOver ? `${peer} calls of ${peerNameOf(principal)}` : `${all} calls of peers`;
  const text = `${row.action}: ${whose} are not over, and no more are taken; let some end, or cancel them, and ask again`;
  return fault("PEER_CALLS_EXCEEDED", text);
}
