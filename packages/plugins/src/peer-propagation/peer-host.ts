// Hosts the speaker (@capstan/peer): tells it what happened, and carries out the effects that it answers, in order. The host has the clock, the
// connections and access to the pipeline; sessions and routes are the speaker's.

import { randomBytes } from "node:crypto";
import {
  FaultError,
  type FollowedRow,
  fault,
  forwardedBy,
  type PluginRuntime,
  parseForwarded,
} from "@capstan/orchestrator";
import {
  type At,
  type ConnectionId,
  defaultTiming,
  type Message,
  type Owner,
  Speaker,
  type SpeakerEffect,
  type SpeakerInput,
  type SpeakerTiming,
  verifySignature,
} from "@capstan/peer";
import type { Companion } from "./companion.ts";
import { type Course, Courses } from "./courses.ts";
import { AcceptedLink } from "./links/acceptor.ts";
import { DialledLink } from "./links/dial.ts";
import { dialOptions } from "./links/dial-address.ts";
import { heardAs, parseCall } from "./links/frames.ts";
import type { Link } from "./links/link.ts";
import { asPeer, type Names } from "./names.ts";
import { OwnRoutes } from "./routes/own-routes.ts";
import { Reach } from "./routes/reach.ts";
import { type PeerRow, peerTable, reachTable } from "./schema.ts";
import { SessionEvents } from "./session-events.ts";
import { textOf } from "./thrown.ts";

export interface HostOptions {
  /** The domain's id; default: the node's own id. */
  readonly domain?: string | undefined;
  readonly timing?: Partial<SpeakerTiming> | undefined;
  /** How long a peer may take to read what is sent, in milliseconds; default: `timing.holdTime`. */
  readonly patience?: number | undefined;
  /** A monotonic clock in milliseconds, the one that the timers follow. */
  readonly clock?: (() => number) | undefined;
}

export interface HostParts extends HostOptions {
  /** The carrier's name under which it notes ways to actions. */
  readonly by: string;
  /** What else uses the sessions. */
  readonly companions?: readonly Companion[] | undefined;
  /** Whether peers are told that this node has restarted, and so keep its routes for some time. */
  readonly restarting?: boolean | undefined;
  /** Called when the node's key was rotated: this host, made for the former key, must not be used any more. */
  rekeyed?(): void;
}

/** How long a stopping node waits for its last frames to be read, in milliseconds. */
const LAST_WORDS_MS = 500;

export class PeerHost {
  readonly speaker: Speaker;
  readonly #runtime: PluginRuntime;
  readonly #clock: () => number;
  readonly #patience: number;
  readonly #names: Names;
  readonly #links = new Map<ConnectionId, Link>();
  readonly #courses = new Courses();
  readonly #reach: Reach;
  readonly #key: string;
  readonly #rekeyed: (() => void) | undefined;
  readonly #companions: readonly Companion[];
  readonly #events: SessionEvents;
  readonly #stopFollowing: () => void;
  readonly #inputs: SpeakerInput[] = [];
  #busy = false;
  #stopTimer: (() => void) | undefined;
  #timerAt: number | undefined;
  #stopped = false;
  #retired = false;

  constructor(runtime: PluginRuntime, names: Names, owners: readonly Owner[], options: HostParts) {
    const { identity, node } = runtime;
    this.#runtime = runtime;
    this.#names = names;
    this.#companions = options.companions ?? [];
    this.#events = new SessionEvents({
      ...{ runtime, names, courses: this.#courses, companions: this.#companions },
      link: (connection) => this.#links.get(connection),
      connectionOf: (peer) => this.speaker.session(peer)?.connection,
    });
    this.#clock = options.clock ?? (() => performance.now());
    const timing: SpeakerTiming = { ...defaultTiming, ...options.timing };
    this.#patience = options.patience ?? timing.holdTime;
    this.#reach = new Reach({
      ...{ runtime, by: options.by, nameOf: (peer) => names.nameOf(peer) },
      best: (route) => this.speaker.best(route),
    });
    const { publicKey, epoch } = identity;
    this.#key = publicKey;
    this.#rekeyed = options.rekeyed;
    this.speaker = new Speaker(
      {
        ...{ node: node.id, name: node.name.slice(0, 64), domain: options.domain ?? node.id, key: publicKey, epoch },
        ...{ owners, timing, chunkSize: 256, updateRoutes: 1024 },
        restarting: options.restarting ?? epoch > 1,
        sign: (bytes) => identity.sign(bytes),
        verify: verifySignature,
        random: Math.random,
        nonce: () => randomBytes(32).toString("base64url"),
      },
      this.#at(),
    );
    const own = new OwnRoutes((input) => this.tell(input), runtime.log);
    this.#stopFollowing = runtime.follow(runtime.routable, (rows: readonly FollowedRow[]) => own.changed(rows));
  }

  /** Gives the speaker an input and carries out its effects; inputs that follow from these are given in turn. */
  tell(input: SpeakerInput): void {
    if (this.#stopped) return;
    this.#inputs.push(input);
    if (this.#busy) return;
    // Checked before anything is signed: this speaker is made for the former key.
    if (!this.#retired && this.#runtime.identity.publicKey !== this.#key) {
      this.#retired = true;
      this.#inputs.length = 0;
      this.#rekeyed?.();
      return;
    }
    this.#busy = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        for (const effect of this.speaker.handle(next, this.#at())) this.#carryOut(effect);
      }
    } finally {
      this.#busy = false;
    }
    this.#schedule();
  }

  /** Somebody dialled us. @param close ends the session that it is of */
  accept(connection: ConnectionId, close: (why: string) => void): AcceptedLink {
    const link = new AcceptedLink({
      ...{ connection, timers: this.#runtime.timers, patience: this.#patience, close },
      lost: (text) => this.#lost(connection, text),
    });
    this.#links.set(connection, link);
    this.tell({ type: "accepted", connection });
    return link;
  }

  link(connection: ConnectionId): Link | undefined {
    return this.#links.get(connection);
  }

  /** The connection of a node's established session. */
  linkOf(node: string): Link | undefined {
    const connection = this.speaker.session(node)?.connection;
    return connection === undefined ? undefined : this.#links.get(connection);
  }

  /** Whether a node has been told, and has read, that no route leads through this one; true where it has no session. */
  leadsNowhere(node: string): boolean {
    const link = this.linkOf(node);
    if (link === undefined) return true;
    for (const _ of this.speaker.rib.advertised(node)) return false;
    return link.isTaken && !this.speaker.rib.pending(node);
  }

  /** The node whose established session runs over a connection. */
  nodeAt(connection: ConnectionId): string | undefined {
    for (const node of this.speaker.peers()) if (this.speaker.session(node)?.connection === connection) return node;
    return undefined;
  }

  /** A time on the speaker's clock, as milliseconds since the epoch. */
  wallAt(time: number): number {
    return Math.round(this.#runtime.now() + time - this.#clock());
  }

  course(name: string): Course {
    return this.#courses.get(name);
  }

  /** A frame has passed the pipeline. */
  received(connection: ConnectionId, frame: unknown): void {
    const node = this.nodeAt(connection);
    const name = node === undefined ? undefined : this.#names.nameOf(node);
    this.tell(heardAs(connection, frame));
    if (node !== undefined && name !== undefined)
      for (const companion of this.#companions) companion.incoming?.({ name, node }, frame);
    if (name !== undefined && (frame as { type?: unknown } | null)?.type === "end-of-table")
      this.#courses.note(name, { heard: true });
  }

  /** Closes a connection; its peer may make another. */
  drop(connection: ConnectionId, text: string): void {
    const link = this.#links.get(connection);
    this.#links.delete(connection);
    this.tell({ type: "lost", connection, text });
    link?.end();
  }

  forget(name: string): void {
    this.#courses.forget(name);
  }

  explain(name: string, reason: string): void {
    this.#events.explain(name, reason);
  }

  /** Removes all routes: nothing counts as reachable until it is announced again. */
  forgetRoutes(): void {
    this.#reach.forget([...this.#runtime.reader.rows(reachTable)].map(([route]) => route));
  }

  /** Tells peers that this node goes and comes back, and ends. */
  async stop(): Promise<void> {
    this.#retired = true;
    this.#stopFollowing();
    const links = [...this.#links.values()];
    this.tell({ type: "going-down" });
    this.#stopped = true;
    this.#stopTimer?.();
    if (links.length === 0) return;
    const until = Promise.all(links.map((link) => link.ended));
    await Promise.race([until, new Promise<void>((resolve) => this.#runtime.timers.after(LAST_WORDS_MS, resolve))]);
    for (const link of links) link.close();
  }

  #carryOut(effect: SpeakerEffect): void {
    switch (effect.type) {
      case "dial":
        this.#dial(effect.connection, effect.peer);
        break;
      case "send":
        this.#send(effect.connection, effect.message);
        break;
      case "disconnect": {
        const link = this.#links.get(effect.connection);
        this.#links.delete(effect.connection);
        link?.end();
        break;
      }
      case "routes":
        this.#reach.change(effect.changes);
        for (const companion of this.#companions) companion.changed?.(effect.changes);
        break;
      case "event":
        this.#events.tell(effect.event);
        break;
      default:
        effect satisfies never;
    }
  }

  #dial(connection: ConnectionId, peer: string): void {
    const row = this.#rowOf(peer);
    const { timers } = this.#runtime;
    const fail = (text: string): void => this.tell({ type: "dial-failed", connection, text });
    if (row?.address === undefined) {
      fail("there is no address to dial");
      return;
    }
    this.#runtime.dial(dialOptions(row.address, row.pin)).then(
      (session) => {
        if (this.#stopped) {
          session.close();
          return;
        }
        const link: DialledLink = new DialledLink({
          ...{ connection, timers, patience: this.#patience, session },
          received: (value) => this.tell({ type: "received", connection, value }),
          lost: (text) => this.#lost(connection, text),
          asked: (call, options, theirs) => this.#asked(link, row.name, call, options, theirs),
        });
        this.#links.set(connection, link);
        // If the speaker no longer wants the connection, it closes it.
        this.tell({ type: "connected", connection });
      },
      (thrown: unknown) => fail(textOf(thrown)),
    );
  }

  /** A link has ended. */
  #lost(connection: ConnectionId, text: string): void {
    this.#links.delete(connection);
    this.tell({ type: "lost", connection, text });
  }

  /** A call of a peer that we dialled, over its callback: it becomes a message of that peer's, like a call that came in by a door. */
  async #asked(link: Link, name: string, call: unknown, options: unknown, theirs: string): Promise<unknown> {
    const row = this.#runtime.reader.get(peerTable, name);
    // The name may belong to another node by now, while this node's link is still there.
    if (row?.node === undefined || this.linkOf(row.node) !== link)
      throw new FaultError(fault("PEER_SESSION_OVER", "that session is over; open another"));
    const asked = parseCall(call, theirs, link.connection);
    const said = parseForwarded(options);
    return this.#runtime.apply(asked, asPeer(row), said, forwardedBy(row.node, this.#runtime.node.id, said));
  }

  #send(connection: ConnectionId, message: Message): void {
    const node = this.nodeAt(connection);
    const name = node === undefined ? undefined : this.#names.nameOf(node);
    if (name !== undefined && this.#revoked(name, connection)) return;
    let said = message;
    if (node !== undefined && name !== undefined)
      for (const companion of this.#companions) said = companion.outgoing?.({ name, node }, said) ?? said;
    this.#links.get(connection)?.send(said);
    if (name !== undefined && message.type === "end-of-table") this.#courses.note(name, { told: true });
  }

  /** Whether the peer's grant was revoked; then the connection is closed, and it is sent nothing more. */
  #revoked(name: string, connection: ConnectionId): boolean {
    const row = this.#runtime.reader.get(peerTable, name);
    if (row === undefined) return false;
    const why = this.#runtime.allows({ resource: "peer", verb: "update", name: "*" }, asPeer(row));
    if (why !== undefined) this.drop(connection, `what it may ask of us ended: ${why.message}`);
    return why !== undefined;
  }

  #rowOf(node: string): PeerRow | undefined {
    const name = this.#names.nameOf(node);
    return name === undefined ? undefined : this.#runtime.reader.get(peerTable, name);
  }

  #at(): At {
    return { now: this.#clock(), wall: Math.floor(this.#runtime.now() / 1000) };
  }

  #schedule(): void {
    const deadline = this.speaker.deadline();
    if (deadline === this.#timerAt && this.#stopTimer !== undefined) return;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#timerAt = deadline;
    if (deadline === undefined) return;
    const wait = Math.max(0, Math.ceil(deadline - this.#clock()));
    this.#stopTimer = this.#runtime.timers.after(wait, () => {
      this.#stopTimer = undefined;
      this.tell({ type: "tick" });
    });
  }
}
