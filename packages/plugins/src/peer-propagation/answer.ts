// Peers and routes as they are shown, and what comes of what peers say: a signal's answer is where the speaker hears of it, once
// it was decided that they may say it.

import { type Envelope, FaultError, fault, type Reader } from "@capstan/orchestrator";
import { secretId } from "@capstan/peer";
import { inFlight } from "./configuration/decide-stop.ts";
import { lacking } from "./configuration/rights.ts";
import { answerExplain } from "./explain/answer-explain.ts";
import { openCalls } from "./forward/open-calls.ts";
import { AcceptedLink } from "./links/acceptor.ts";
import { principalOf } from "./names.ts";
import type { Peering, Running } from "./peering.ts";
import { answerRoute, answerRoutes } from "./routes/route-answer.ts";
import { DEFAULT_DISCLOSURE, OWNERS, ownersTable, type PeerRow, peerTable } from "./schema.ts";
import { topicAnswers } from "./topics/topic-answer.ts";
import { unknownPeer } from "./unknown-peer.ts";
import { shownWitness, witnessAnswers } from "./witness/witness-answer.ts";

const PAGE = 100;
/** A peer's log, where nothing is the matter with it. */
const UNTROUBLED = ["cosigned", "nothing"];

export function answers(peering: Peering, domain: string | undefined) {
  const heard = ({ message }: Envelope): unknown => {
    const { session, frame } = message.data as { readonly session: string; readonly frame: unknown };
    peering.running()?.host.received(session, frame);
    return {};
  };
  return {
    ...topicAnswers(peering, domain),
    ...witnessAnswers(peering),
    "peer.explain": answerExplain(peering),
    "peer.open": ({ message }: Envelope, { node }: Reader) => opened(peering, message.data, node),
    "peer.update": heard,
    "peer.keepalive": heard,
    "peer.endOfTable": heard,
    "peer.refresh": heard,
    "peer.notify": heard,
    "peer.close": heard,
    "peer.keep": async ({ message }: Envelope, { node }: Reader) => {
      const { name, secret } = message.data as { readonly name: string; readonly secret: string };
      return peering.secrets.keep(secret, name, node.directory, (bytes) => secretId(bytes));
    },
    "peer.resend": ({ message }: Envelope, reader: Reader) => {
      const { name } = message.data as { readonly name: string };
      const node = rowOf(reader, name).node;
      if (node !== undefined) peering.running()?.host.tell({ type: "refresh-peer", node });
      return { name };
    },
    "peer.identity": (_envelope: Envelope, { node }: Reader) => {
      const key = peering.runtime?.identity.publicKey;
      if (key === undefined) throw new FaultError(fault("PEER_UNREACHABLE", "the log is only read: nothing peers"));
      return { node: node.id, name: node.name, domain: domain ?? node.id, key };
    },
    "peer.list": ({ message }: Envelope, reader: Reader) => {
      const { after, limit = PAGE } = message.data as { readonly after?: string; readonly limit?: number };
      const names = [...reader.rows(peerTable)]
        .map(([name]) => name)
        .filter((name) => after === undefined || name > after);
      names.sort();
      const items = names.slice(0, limit).map((name) => {
        const row = rowOf(reader, name);
        const log = logOf(peering, reader, row);
        const { state, entry } = log;
        // What somebody has to look at: all else is for peer.show.
        const trouble = UNTROUBLED.includes(state) ? {} : { log: entry === undefined ? { state } : { state, entry } };
        return { ...shown(row, reader, peering.running()), ...trouble, ...lacks(row, domain ?? reader.node.id) };
      });
      return { items, ...(names.length > limit ? { next: names[limit - 1] as string } : {}) };
    },
    "peer.show": ({ message }: Envelope, reader: Reader) => {
      const row = rowOf(reader, (message.data as { readonly name: string }).name);
      const { keys, limits, required, secrets, allow, import: incoming, export: outgoing } = row;
      const { disclose = DEFAULT_DISCLOSURE } = row;
      // A copy: the row is the state itself.
      const configured = structuredClone({
        keys,
        limits,
        required,
        secrets,
        allow,
        disclose,
        import: incoming,
        export: outgoing,
      });
      const log = logOf(peering, reader, row);
      const outdated = lacks(row, domain ?? reader.node.id);
      return {
        ...{ ...shown(row, reader, peering.running()), ...configured, ...outdated, ...peering.saidIn(row.name), log },
        calls: openCalls(reader, { principal: principalOf(row.name), node: row.node }),
      };
    },
    "route.list": (envelope: Envelope, reader: Reader) => answerRoutes(envelope, reader, peering.running()),
    "route.show": (envelope: Envelope) => answerRoute(envelope, peering.running()),
    "route.owners": (_envelope: Envelope, reader: Reader) => ({
      owners: structuredClone(reader.get(ownersTable, OWNERS) ?? []),
    }),
  };
}

/** The peer has said where to: it is told that we are who we say, and hears the rest over its callback. */
function opened(peering: Peering, data: unknown, node: Reader["node"]) {
  const { session, callback } = data as { readonly session: string; readonly callback: string };
  const link = peering.running()?.host.link(session);
  const live = peering.runtime?.live(callback);
  if (!(link instanceof AcceptedLink) || link.ask !== undefined)
    throw new FaultError(fault("PEER_SESSION_OVER", "that session is over, or was opened before"));
  if (live === undefined)
    throw new FaultError(
      fault("LIVE_UNAVAILABLE", '"callback": a function of the caller\'s, over a session that lasts'),
    );
  const proof = link.takeSpoken();
  link.opened(live);
  return { node: node.id, name: node.name, session, proof };
}

/** How this node finds a peer's log. */
function logOf(peering: Peering, reader: Reader, row: PeerRow): { readonly state: string; readonly entry?: number } {
  const { name: _, ...log } = shownWitness(peering, reader, row);
  return log;
}

function rowOf(reader: Reader, name: string): PeerRow {
  const row = reader.get(peerTable, name);
  if (row === undefined)
    throw new FaultError(
      unknownPeer(
        name,
        [...reader.rows(peerTable)].map(([one]) => one),
      ),
    );
  return row;
}

function shown(row: PeerRow, reader: Reader, running: Running | undefined) {
  const { name, node, address, peerGrant, stopped, invite, draining } = row;
  const speaker = running?.host.speaker;
  const peering = node === undefined ? undefined : speaker?.peering(node);
  const course = running?.host.course(name);
  const domain = peering?.agreed?.domain ?? row.domain;
  const routes = node === undefined || speaker === undefined ? NONE : countsOf(speaker.rib, node);
  const retryAt = peering?.neighbor.dialled.timers["idle-hold"];
  return {
    name,
    ...(node === undefined ? {} : { node }),
    ...(domain === undefined ? {} : { domain }),
    ...(address === undefined ? {} : { address }),
    state: stateOf(row, peering),
    ...(course === undefined || course.since === 0 ? {} : { since: course.since }),
    ...routes,
    complete: course?.heard === true && course.told,
    ...(course?.reason === undefined ? {} : { reason: course.reason, reasonAt: course.reasonAt }),
    ...(retryAt === undefined || stopped ? {} : { retryAt: running?.host.wallAt(retryAt) }),
    ...(draining === undefined ? {} : { stopping: { until: draining.until, inFlight: inFlight(reader, row) } }),
    ...(invite === undefined ? {} : { invite: { expires: invite.expires } }),
    grant: peerGrant,
  };
}

function lacks(row: PeerRow, domain: string): { readonly lacks?: readonly string[] } {
  const missing = lacking(row, domain);
  return missing.length === 0 ? {} : { lacks: missing };
}

const NONE = { in: 0, filtered: 0, out: 0 };

function countsOf(rib: Running["host"]["speaker"]["rib"], node: string) {
  let received = 0;
  let filtered = 0;
  for (const path of rib.received(node)) {
    received++;
    if (path.filtered !== undefined) filtered++;
  }
  let out = 0;
  for (const _ of rib.advertised(node)) out++;
  return { in: received, filtered, out };
}

function stateOf(row: PeerRow, peering: ReturnType<Running["host"]["speaker"]["peering"]>): string {
  if (row.stopped) return "stopped";
  if (row.draining !== undefined) return "stopping";
  if (row.node === undefined) return "invited";
  if (peering === undefined) return "idle";
  const { current, dialled, accepted, running } = peering.neighbor;
  if (current !== undefined) return "established";
  if (!running) return "idle";
  for (const { state } of accepted.values()) if (state === "open-confirm") return state;
  // Nothing dials: it waits to be dialled (RFC 4271 §8.2.2, Active).
  return row.address === undefined ? "active" : dialled.state;
}
