// Decides to start, stop and remove peers. A peer with a session is stopped in two steps: first nothing new goes over the session; it ends when the
// peer has been told, and calls in flight have ended or had their time. The caller waits for that. Pure.

import { fault, next, type Reader, type State } from "@capstan/orchestrator";
import { type ExecutionRow, executionTable } from "../../executor/schema.ts";
import type { Context } from "../context.ts";
import { principalOf } from "../names.ts";
import { type Draining, type PeerRow, peerSessionTable, peerTable } from "../schema.ts";
import { revoke, unknown } from "./decide-configuration.ts";

interface Asked {
  readonly name: string;
  /** Do not wait for calls in flight. */
  readonly now?: boolean;
}

/** @param drain how long calls in flight may go on, in milliseconds */
export function decideStop(context: Context, drain: number) {
  const { message, envelope, state } = context;
  const { name, now = false } = message.data as Asked;
  const row = state.get(peerTable, name);
  if (message.action === "drained") return row?.draining === undefined ? next() : ended(state, row, row.draining);
  if (row === undefined) return unknown(context, name);
  if (message.action === "start") return start(state, row);
  const { draining } = row;
  const removes = message.action === "remove" || draining?.removes === true;
  const hasSession = state.get(peerSessionTable, name) !== undefined;
  const { until = envelope.at + drain, waiting = [] } = draining ?? {};
  const asked: Draining = { until, waiting, ...(removes ? { removes } : {}) };
  if (now || row.stopped || !hasSession) return { ...ended(state, row, asked), data: { name } };
  const after = { ...row, draining: { ...asked, waiting: [...waiting, envelope.id] }, revision: row.revision + 1 };
  return next({ data: { name }, pending: true, state: state.put(peerTable, name, after) });
}

function start(state: State, { draining, ...row }: PeerRow) {
  const { name } = row;
  const error = fault("CANCELLED", `${name} was started before it had stopped`);
  return next({
    data: { name },
    state: state.put(peerTable, name, { ...row, stopped: false, revision: row.revision + 1 }),
    settles: (draining?.waiting ?? []).map((id) => ({ id, error })),
  });
}

function ended(state: State, { draining: _, ...row }: PeerRow, { waiting, removes }: Draining) {
  const { name } = row;
  return next({
    state: removes
      ? state.remove(peerTable, name)
      : state.put(peerTable, name, { ...row, stopped: true, revision: row.revision + 1 }),
    settles: waiting.map((id) => ({ id, data: { name } })),
    then: removes ? [revoke(row)] : [],
  });
}

/** How many calls are in flight over the peer's session, in either direction. */
export function inFlight(rows: Pick<Reader, "rows">, { name, node }: PeerRow): number {
  const peer = principalOf(name);
  const goesThrough = ({ state, principal, elsewhere }: ExecutionRow): boolean =>
    state === "running" && (principal === peer || (node !== undefined && elsewhere?.to === node));
  let count = 0;
  for (const [, row] of rows.rows(executionTable)) if (goesThrough(row)) count++;
  return count;
}
