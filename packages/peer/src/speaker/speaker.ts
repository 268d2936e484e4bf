// A BGP speaker (RFC 4271 §1.1): sessions with its peers, and the RIB between them. `handle` is told what happened and answers what is to
// be done, in order. It does no I/O itself, so that the same code runs in a node and in the simulator.

import { establishedSession, type NeighborInput } from "../neighbor/neighbor.ts";
import { stepNeighbor } from "../neighbor/step-neighbor.ts";
import type { Path } from "../rib/path.ts";
import { Rib } from "../rib/rib.ts";
import type { SessionEffect } from "../session/effect.ts";
import type { ConnectionId, Session } from "../session/session.ts";
import type { NodeId, RouteName } from "../wire/names.ts";
import { type Complaint, publicText } from "../wire/notification-codes.ts";
import { decodeFrame, FRAME_BYTES, type MessageReading, readMessage } from "../wire/read-message.ts";
import { checkSpeaker } from "./check-config.ts";
import { Connections } from "./connections.ts";
import { Deferral } from "./deferral.ts";
import { Exchange } from "./exchange.ts";
import { identify } from "./identify.ts";
import { OwnRoutes } from "./own-routes.ts";
import { Peering } from "./peering.ts";
import type { At, PeerConfig, SpeakerConfig } from "./speaker-config.ts";
import type { SpeakerEffect, SpeakerEvent } from "./speaker-effect.ts";
import type { SpeakerInput } from "./speaker-input.ts";

/** A node as its peers see it. Call `handle` for every event, and with `tick` when `deadline()` is over. */
export class Speaker {
  readonly rib: Rib;
  readonly #config: SpeakerConfig;
  readonly #peerings = new Map<NodeId, Peering>();
  readonly #connections: Connections;
  readonly #own: OwnRoutes;
  readonly #deferral: Deferral;
  readonly #exchange: Exchange;
  #effects: SpeakerEffect[] = [];
  #at: At;

  constructor(config: SpeakerConfig, at: At) {
    checkSpeaker(config);
    const { node, domain, owners, verify, timing } = config;
    const { tolerance, maxLifetime, epochGrace } = timing;
    this.rib = new Rib({ node, domain, owners, verify, tolerance, maxLifetime, epochGrace });
    this.#config = config;
    this.#connections = new Connections(`${node}#${config.epoch}.`, timing.openTime, config.random);
    this.#own = new OwnRoutes(config);
    this.#deferral = new Deferral(config.restarting, at.now + timing.deferral);
    this.#exchange = new Exchange(this.rib, this.#deferral, config, {
      step: (peer, input) => this.#step(peer, input),
      tell: (event) => this.#tell(event),
    });
    this.#at = at;
  }

  /** The next time, in monotonic milliseconds, at which a `tick` has something to do; `undefined`: never. */
  deadline(): number | undefined {
    let earliest = Number.POSITIVE_INFINITY;
    const consider = (deadline: number | undefined): void => {
      if (deadline !== undefined && deadline < earliest) earliest = deadline;
    };
    for (const peering of this.#peerings.values()) {
      consider(peering.deadline);
      consider(this.#exchange.deadline(peering));
    }
    consider(this.#connections.pending.deadline());
    consider(this.rib.deadline());
    consider(this.#own.deadline());
    consider(this.#deferral.deadline());
    return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
  }

  handle(input: SpeakerInput, at: At): readonly SpeakerEffect[] {
    this.#at = at;
    this.#take(input);
    this.#settle();
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** The established session with a peer, for `peer.show`. */
  session(node: NodeId): Session | undefined {
    const peering = this.#peerings.get(node);
    return peering && establishedSession(peering.neighbor);
  }

  peering(node: NodeId): Pick<Peering, "config" | "neighbor" | "agreed"> | undefined {
    return this.#peerings.get(node);
  }

  peers(): Iterable<NodeId> {
    return this.#peerings.keys();
  }

  best(name: RouteName): Path | undefined {
    return this.rib.best(name);
  }

  #take(input: SpeakerInput): void {
    switch (input.type) {
      case "configure-peer":
        this.#configure(input.peer);
        break;
      case "remove-peer":
        this.#remove(input.node);
        break;
      case "start-peer":
        this.#step(input.node, { type: "start" });
        break;
      case "stop-peer":
        this.#stop(input.node, "administrative-shutdown", "stopped by an operator");
        break;
      case "refresh-peer":
        this.#step(input.node, { type: "send", message: { type: "route-refresh", phase: "request" } });
        break;
      case "keep-alive":
        this.#step(input.node, { type: "send", message: { type: "keepalive" } });
        break;
      case "forget-epoch":
        this.#forgetEpoch(input.node);
        break;
      case "set-owners":
        this.rib.reconfigure({ owners: input.owners }, this.#at);
        break;
      case "originate": {
        const { chunks, withdraw, refused } = this.#own.change(input.announce, input.withdraw, this.#at);
        this.rib.originate(chunks, withdraw, this.#at);
        for (const text of refused) this.#tell({ kind: "not-offered", text });
        break;
      }
      case "connected":
        this.#connected(input.connection, input.binding);
        break;
      case "dial-failed":
        this.#dialFailed(input.connection, input.text);
        break;
      case "accepted":
        this.#accepted(input.connection, input.binding);
        break;
      case "received":
        this.#received(input.connection, readMessage(input.value));
        break;
      case "received-text":
        this.#received(input.connection, decodeFrame(input.text, this.#longestFrame(input.connection), input.only));
        break;
      case "lost":
        this.#lost(input.connection, input.text);
        break;
      case "tick":
        this.#tick();
        break;
      case "going-down":
        for (const node of this.#peerings.keys()) this.#step(node, { type: "going-down" });
        break;
      default:
        input satisfies never;
    }
  }

  #configure(config: PeerConfig): void {
    const { node } = config;
    const known = this.#peerings.get(node);
    if (known === undefined) {
      this.#peerings.set(node, new Peering(config, this.#config));
      this.#step(node, { type: "start" });
      return;
    }
    const { running } = known.neighbor;
    const means = known.configure(config);
    if (means === "anew") this.#stop(node, "configuration-change", "the peer is configured otherwise now");
    // A start ends any backoff, which a change of policies alone must not do.
    if (running && means !== "as it was") this.#step(node, { type: "start" });
    this.rib.reconfigure({ peers: [known.ribPeer()] }, this.#at);
  }

  #remove(node: NodeId): void {
    this.#stop(node, "peer-removed", "removed by an operator");
    this.#peerings.delete(node);
  }

  #stop(
    node: NodeId,
    subcode: "administrative-shutdown" | "peer-removed" | "configuration-change",
    text: string,
  ): void {
    this.#step(node, { type: "stop", complaint: { code: "cease", subcode }, text });
    // Also drops stale routes of a session that was lost before.
    this.rib.closePeer(node, undefined, this.#at);
  }

  #forgetEpoch(node: NodeId): void {
    const peering = this.#peerings.get(node);
    if (peering?.forgetEpoch() !== true) return;
    this.rib.forgetEpochs(node);
    // A start ends its backoff. An established session is not touched.
    if (peering.neighbor.running) this.#step(node, { type: "start" });
  }

  #connected(connection: ConnectionId, binding: string | undefined): void {
    const peer = this.#connections.made(connection, binding);
    if (peer === undefined) this.#disconnect(connection);
    else this.#step(peer, { type: "made", connection });
  }

  #dialFailed(connection: ConnectionId, text: string): void {
    const peer = this.#connections.failed(connection);
    if (peer !== undefined) this.#step(peer, { type: "failed", connection: undefined, text });
  }

  #accepted(connection: ConnectionId, binding: string | undefined): void {
    const crowded = this.#connections.pending.enter(connection, binding, this.#at.now);
    if (crowded === undefined) return;
    this.#turnAway(crowded, { code: "cease", subcode: "connection-rejected" }, "too many connections are waiting");
  }

  #received(connection: ConnectionId, reading: MessageReading): void {
    const known = this.#connections.get(connection);
    if (known === undefined) {
      this.#identify(connection, reading);
      return;
    }
    const { peer, binding } = known;
    if (reading.ok) {
      this.#step(peer, { type: "message", connection, message: reading.message }, binding);
    } else {
      const { complaint, text } = reading;
      this.#step(peer, { type: "malformed", connection, complaint, text }, binding);
    }
  }

  #identify(connection: ConnectionId, reading: MessageReading): void {
    const waiting = this.#connections.pending.leave(connection);
    if (waiting === undefined) return; // It was ended, and this was on its way.
    const identified = identify(reading, (node) => this.#peerings.has(node));
    if (identified.ok) {
      const { open } = identified;
      this.#connections.identify(connection, open.node, waiting.binding);
      this.#step(open.node, { type: "accepted", connection, open });
    } else {
      this.#turnAway(connection, identified.complaint, identified.text);
    }
  }

  /** A connection that has proved nothing may send only short frames. */
  #longestFrame(connection: ConnectionId): number {
    const peer = this.#connections.get(connection)?.peer;
    const current = peer && this.#peerings.get(peer)?.neighbor.current;
    return current === connection ? FRAME_BYTES.proved : FRAME_BYTES.unproved;
  }

  #lost(connection: ConnectionId, text: string): void {
    if (this.#connections.pending.leave(connection) !== undefined) return;
    const known = this.#connections.get(connection);
    if (known === undefined) return;
    this.#connections.forget(connection);
    this.#step(known.peer, { type: "failed", connection, text });
  }

  #tick(): void {
    const { now } = this.#at;
    for (const [node, { deadline }] of this.#peerings) {
      if (deadline <= now) this.#step(node, { type: "tick" });
    }
    for (const connection of this.#connections.pending.expire(now)) {
      this.#turnAway(connection, { code: "cease", subcode: "connection-rejected" }, "said nothing in time");
    }
    const renewed = this.#own.tick(this.#at);
    if (renewed.length > 0) this.rib.originate(renewed, [], this.#at);
    if ((this.rib.deadline() ?? Number.POSITIVE_INFINITY) <= now) this.rib.tick(this.#at);
  }

  /** After every input: changed routes are reported to the node, and sent to the peers when it is time. */
  #settle(): void {
    if (this.#deferral.on) this.#defer();
    for (const peering of this.#peerings.values()) this.#exchange.send(peering, this.#at);
    const changes = this.rib.takeChanges();
    if (changes.length > 0) this.#effects.push({ type: "routes", changes });
  }

  #defer(): void {
    const mayCome = [...this.#peerings].filter(([, { neighbor }]) => neighbor.running).map(([node]) => node);
    const awaited = this.#deferral.awaited(mayCome, this.#at.now);
    for (const node of mayCome) this.rib.keepBack(node, this.#deferral.keptFrom(node, awaited));
  }

  /** @param binding of the connection that a message came on; only messages need it, because proofs come in messages */
  #step(node: NodeId, input: NeighborInput, binding?: string): void {
    const peering = this.#peerings.get(node);
    if (peering === undefined) return;
    if (input.type === "message" && input.connection === peering.neighbor.current) peering.heardAt = this.#at.now;
    const context = peering.context(this.#at, binding, this.#deferral.on);
    const { neighbor, effects, reasons } = stepNeighbor(peering.neighbor, input, context);
    peering.neighbor = neighbor;
    for (const { reason } of reasons) {
      if (reason.kind !== "progress" && reason.kind !== "ignored") this.#tell({ kind: "session", peer: node, reason });
    }
    for (const effect of effects) this.#carryOut(node, peering, effect);
  }

  #carryOut(node: NodeId, peering: Peering, effect: SessionEffect): void {
    switch (effect.type) {
      case "dial":
        this.#dial(node, peering);
        break;
      case "abandon-dial":
        this.#abandonDial(node);
        break;
      case "send":
        this.#effects.push(effect);
        break;
      case "disconnect":
        this.#disconnect(effect.connection);
        break;
      case "established":
        this.#exchange.begin(peering, effect, this.#at);
        break;
      case "down":
        this.#exchange.end(peering, effect, this.#at);
        break;
      case "deliver":
        this.#exchange.receive(peering, effect.message, this.#at);
        break;
      default:
        effect satisfies never;
    }
  }

  #dial(node: NodeId, { config: { address } }: Peering): void {
    if (address === undefined) return;
    this.#effects.push({ type: "dial", connection: this.#connections.dial(node), peer: node, address });
  }

  #abandonDial(node: NodeId): void {
    const connection = this.#connections.abandon(node);
    if (connection !== undefined) this.#effects.push({ type: "disconnect", connection });
  }

  /** Refuses a connection that sent nothing, nonsense or an unknown name. The exact reason goes to our own log only. */
  #turnAway(connection: ConnectionId, complaint: Complaint, text: string): void {
    this.#effects.push({
      type: "send",
      connection,
      message: { type: "notification", seq: 0, ...complaint, reason: publicText(complaint) },
    });
    this.#effects.push({ type: "disconnect", connection });
    this.#tell({ kind: "refused", connection, text });
  }

  #disconnect(connection: ConnectionId): void {
    this.#connections.forget(connection);
    this.#effects.push({ type: "disconnect", connection });
  }

  #tell(event: SpeakerEvent): void {
    this.#effects.push({ type: "event", event });
  }
}
