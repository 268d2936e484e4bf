// What stands where the frames come in: a session of each peer and one RIB, put together as a host does it (decode, step, read
// the update, give it to the RIB), with what must be so after every frame.

import {
  type Complaint,
  decodeFrame,
  encodeFrame,
  FRAME_BYTES,
  type Message,
  newSession,
  Rib,
  readUpdate,
  type Session,
  type SessionContext,
  type SessionEffect,
  type SessionInput,
  STATES,
  step,
  type Update,
  verifySignature,
} from "@capstan/peer";
import { NOW, type Party, signedText, VICTIM, WALL } from "./parties.ts";

const AT = { now: NOW, wall: WALL };
const TIMERS = ["connect-retry", "hold", "keepalive", "delay-open", "idle-hold"];
const CONNECTION = "c-1";

export interface Heard {
  readonly session: Session;
  /** What became of the frame, in few words. */
  readonly outcome: string;
}

export class Victim {
  /** What must not be, as it was found. */
  readonly violations: string[] = [];
  readonly #rib: Rib;
  readonly #open = new Set<string>();
  readonly #parties: readonly Party[];
  /** By any origin, ever. */
  readonly #signed: ReadonlySet<string>;
  readonly #watcher: Party;
  #updates = 0;
  readonly #believesProofs: boolean;

  /** `watcher`: another peer, to which all is announced on. `believes`: what is not looked at (controls). */
  constructor(parties: readonly Party[], watcher: Party, believes?: "signatures" | "proofs") {
    this.#parties = parties;
    this.#signed = new Set(parties.flatMap((party) => [...party.signed]));
    this.#watcher = watcher;
    this.#believesProofs = believes === "proofs";
    const verify = believes === "signatures" ? () => true : verifySignature;
    const times = { tolerance: 300, maxLifetime: 7 * 86_400, epochGrace: 120_000 };
    this.#rib = new Rib({ ...VICTIM, ...times, owners: [], verify });
    this.#rib.openPeer(watcher.ribPeer, AT);
  }

  /** As far as a session comes without the peer. */
  begin(party: Party, role: Session["role"]): Session {
    const inputs: SessionInput[] =
      role === "dialler"
        ? [{ type: "manual-start" }, { type: "connection-made", connection: CONNECTION }]
        : [{ type: "connection-accepted", connection: CONNECTION }];
    return inputs.reduce((session, input) => this.#step(party, session, input).session, newSession(role));
  }

  hear(party: Party, session: Session, text: string): Heard {
    const proved = session.state === "established";
    const reading = decodeFrame(text, proved ? FRAME_BYTES.proved : FRAME_BYTES.unproved);
    const input = reading.ok
      ? ({ type: reading.message.type, message: reading.message } as SessionInput)
      : ({ type: "malformed-message", complaint: reading.complaint, text: reading.text } as const);
    const taken = this.#step(party, session, input);
    const outcome = reading.ok
      ? `${reading.message.type}: ${reasonOf(taken)}`
      : `no message: ${reading.complaint.subcode}`;
    const delivered = taken.effects.find((effect) => effect.type === "deliver");
    return delivered === undefined
      ? { session: taken.session, outcome }
      : this.#deliver(party, taken.session, delivered.message);
  }

  /** Its session is established already. */
  open(party: Party): void {
    if (this.#open.has(party.node)) return;
    this.#open.add(party.node);
    this.#rib.openPeer(party.ribPeer, AT);
  }

  /** Over, with nothing kept. */
  end(party: Party): void {
    this.#close(party, undefined);
  }

  /** What the watcher is told is what it would take. */
  audit(): void {
    while (this.#rib.pending(this.#watcher.node)) {
      const { withdraw, announce } = this.#rib.take(this.#watcher.node, 4096);
      const update: Message = { type: "update", seq: 0, withdraw: [...withdraw], announce: [...announce] };
      const reading = decodeFrame(encodeFrame(update), FRAME_BYTES.proved);
      const read =
        reading.ok && reading.message.type === "update" && readUpdate(reading.message, { updateRoutes: 4096 });
      if (read === false || !read.ok || read.update.malformed.length > 0) {
        this.violations.push(`the watcher would be told ${encodeFrame(update).slice(0, 300)}`);
      }
    }
    this.#rib.takeChanges();
  }

  #deliver(party: Party, session: Session, message: Extract<SessionEffect, { type: "deliver" }>["message"]): Heard {
    switch (message.type) {
      case "end-of-table":
        this.#rib.endOfTable(party.node, AT);
        return { session, outcome: "end-of-table: taken" };
      case "route-refresh":
        if (message.phase === "begin") this.#rib.refreshBegins(party.node, AT);
        else this.#rib.resend(party.node);
        return { session, outcome: `route-refresh: ${message.phase}` };
      case "update": {
        const reading = readUpdate(message, party.ribPeer.limits);
        if (!reading.ok) return this.#complain(party, session, reading.complaint, reading.text);
        // What a peer could do to another's routes it could do with many updates: one in eight is watched.
        const watched = ++this.#updates % 8 === 0;
        const before = watched ? this.#routesOfOthers(party) : 0;
        const { accepted, withdrawn, malformed } = this.#rib.receive(party.node, reading.update, AT);
        if (watched && this.#routesOfOthers(party) !== before)
          this.violations.push(`${party.node} changed what another one announced`);
        if (accepted > 0) this.#check(party, reading.update);
        const partly = malformed.length > 0 || reading.update.malformed.length > 0;
        const what = accepted > 0 ? "routes taken" : withdrawn > 0 ? "routes withdrawn" : "nothing changed";
        return { session, outcome: `update: ${what}${partly ? ", malformed in part" : ""}` };
      }
      default:
        return message satisfies never;
    }
  }

  #routesOfOthers(party: Party): number {
    let routes = 0;
    for (const { node } of this.#parties)
      if (node !== party.node) for (const _ of this.#rib.received(node)) routes += 1;
    return routes;
  }

  /** What is in the tables now of what was announced was signed, every word of it. */
  #check(party: Party, { announce }: Update): void {
    for (const name of announce.flatMap(({ leaves }) => leaves.map(([first]) => first))) {
      if (typeof name !== "string") continue;
      for (const { digest, received } of this.#rib.pathsOf(name)) {
        if (received.peer !== party.node || this.#signed.has(signedText(received.chunk.claim, name, digest))) continue;
        this.violations.push(`${name} of ${received.chunk.claim.node} was never signed`);
      }
    }
  }

  #complain(party: Party, session: Session, complaint: Complaint, text: string): Heard {
    const taken = this.#step(party, session, { type: "update-error", complaint, text });
    return { session: taken.session, outcome: `update: ${reasonOf(taken)}` };
  }

  #step(party: Party, session: Session, input: SessionInput): ReturnType<typeof step> {
    const taken = step(session, input, this.#context(party));
    const undefinedState = whyUndefined(taken.session);
    if (undefinedState !== undefined)
      this.violations.push(`after ${input.type} in ${session.state}: ${undefinedState}`);
    for (const effect of taken.effects) this.#carryOut(party, effect);
    if (session.state !== "established" && taken.session.state === "established") this.#prove(party, taken.session);
    return taken;
  }

  #context({ context }: Party): SessionContext {
    return this.#believesProofs ? { ...context, prover: { ...context.prover, verify: () => true } } : context;
  }

  #carryOut(party: Party, effect: SessionEffect): void {
    if (effect.type === "established") this.open(party);
    if (effect.type === "down") this.#close(party, effect.graceful ? NOW + 120_000 : undefined);
    // Whatever comes, what we answer is a message.
    if (effect.type === "send" && !decodeFrame(encodeFrame(effect.message), FRAME_BYTES.unproved).ok) {
      this.violations.push(`sends what is no message: ${encodeFrame(effect.message).slice(0, 300)}`);
    }
  }

  #close(party: Party, keepUntil: number | undefined): void {
    this.#open.delete(party.node);
    this.#rib.closePeer(party.node, keepUntil, AT);
  }

  /** The peer proves the offer that it made; another one must not be the one that is established. */
  #prove(party: Party, { role, theirs }: Session): void {
    const offered = party.open(role === "dialler" ? "acceptor" : "dialler");
    if (!Bun.deepEquals(theirs, offered))
      this.violations.push(`established by another offer: ${JSON.stringify(theirs)}`);
  }
}

function reasonOf({ reason }: ReturnType<typeof step>): string {
  if (reason.kind === "complained" || reason.kind === "was-notified") {
    return reason.kind === "was-notified" ? "ended by the peer" : `${reason.code}/${reason.subcode}`;
  }
  return reason.kind;
}

/** Why a session is in none of the states that there are; `undefined` where it is in one. */
export function whyUndefined(session: Session): string | undefined {
  const { state, role, connection, timers, attempts, sent, received, ours, theirs, agreed, establishedAt } = session;
  if (!STATES.includes(state)) return `no such state: ${state}`;
  if (role !== "dialler" && role !== "acceptor") return `no such role: ${role}`;
  if ([attempts, sent, received].some((count) => !Number.isSafeInteger(count) || count < 0)) return "a count is none";
  for (const [timer, at] of Object.entries(timers)) {
    if (!TIMERS.includes(timer) || !Number.isFinite(at)) return `no such timer: ${timer} at ${at}`;
  }
  const connected = state === "open-sent" || state === "open-confirm" || state === "established";
  if (connected && connection === undefined) return `${state} without a connection`;
  if ((state === "idle" || state === "connect") && connection !== undefined) return `${state} with a connection`;
  if (connected && ours === undefined) return `${state} without an offer of ours`;
  const agreeing = state === "open-confirm" || state === "established";
  if (agreeing && (theirs === undefined || agreed === undefined)) return `${state} without having agreed`;
  if (!agreeing && (theirs !== undefined || agreed !== undefined)) return `${state} has agreed`;
  if ((state === "established") !== (establishedAt !== undefined)) return `${state} since ${establishedAt}`;
  return undefined;
}
