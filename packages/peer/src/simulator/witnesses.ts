// What is seen while a run goes on: the trace, the figures, and what must never be at any time. Anything in `violations` fails
// a run, however well it ends.

import { matchesPattern } from "../policy/pattern.ts";
import type { BestChange } from "../rib/path.ts";
import type { SpeakerEvent } from "../speaker/speaker-effect.ts";
import type { SpeakerInput } from "../speaker/speaker-input.ts";
import type { Message, MessageType } from "../wire/message.ts";
import { hasWord } from "../wire/words.ts";
import type { Administration } from "./administration.ts";
import type { VirtualClock } from "./clock.ts";
import type { Network } from "./network.ts";
import type { Script } from "./scenario/script.ts";
import type { SimNode, Witness } from "./sim-node.ts";
import type { Trace } from "./trace.ts";

export interface Figures {
  /** By type, as they were sent. */
  readonly messages: Record<MessageType, number>;
  readonly routesAnnounced: number;
  readonly routesWithdrawn: number;
  /** Sessions that ever came to be, counted at both of their ends. */
  readonly established: number;
  /** Sessions that ended by what the other side said or sent, by code and subcode. */
  readonly complaints: Readonly<Record<string, number>>;
  readonly routesMalformed: number;
  readonly limits: Readonly<Record<string, number>>;
  readonly bestChanges: number;
}

export interface Violation {
  readonly at: number;
  readonly node: string;
  readonly text: string;
}

/** Two notifications that are about one collision come within that time. */
const COLLISION = 500;

export class Witnesses implements Witness {
  readonly violations: Violation[] = [];
  /** When an update was last sent, and when a best path last changed. */
  lastUpdate = 0;
  lastChange = 0;
  /** Sides that a limit has stopped for good: `node peer`. */
  readonly disabled = new Set<string>();
  readonly #clock: VirtualClock;
  readonly #network: Network;
  readonly #trace: Trace;
  readonly #administration: Administration;
  readonly #owners: Script["owners"];
  readonly #ownersOf = new Map<string, ReadonlySet<string>>();
  readonly #messages = new Map<string, number>();
  readonly #complaints = new Map<string, number>();
  readonly #limits = new Map<string, number>();
  /** By `from to`: which connection was ended last for a collision. */
  readonly #collisions = new Map<string, { readonly at: number; readonly connection: number }>();
  #routesAnnounced = 0;
  #routesWithdrawn = 0;
  #routesMalformed = 0;
  #established = 0;
  #bestChanges = 0;

  constructor(around: {
    readonly clock: VirtualClock;
    readonly network: Network;
    readonly trace: Trace;
    readonly administration: Administration;
    readonly owners: Script["owners"];
  }) {
    this.#clock = around.clock;
    this.#network = around.network;
    this.#trace = around.trace;
    this.#administration = around.administration;
    this.#owners = around.owners;
  }

  get figures(): Figures {
    return {
      messages: Object.fromEntries(this.#messages) as Record<MessageType, number>,
      routesAnnounced: this.#routesAnnounced,
      routesWithdrawn: this.#routesWithdrawn,
      established: this.#established,
      complaints: Object.fromEntries(this.#complaints),
      routesMalformed: this.#routesMalformed,
      limits: Object.fromEntries(this.#limits),
      bestChanges: this.#bestChanges,
    };
  }

  input(node: SimNode, input: SpeakerInput): void {
    this.#trace.line(this.#clock.now, node.id, input.type, detailOf(input));
  }

  sent(_node: SimNode, message: Message): void {
    increment(this.#messages, message.type);
    if (message.type !== "update") return;
    this.lastUpdate = this.#clock.now;
    this.#routesWithdrawn += message.withdraw.length;
    for (const { leaves } of message.announce as readonly { leaves: readonly (readonly unknown[])[] }[]) {
      for (const [name] of leaves) if (typeof name === "string") this.#routesAnnounced++;
    }
  }

  routes(node: SimNode, changes: readonly BestChange[]): void {
    this.lastChange = this.#clock.now;
    this.#bestChanges += changes.length;
    if (node.liar !== undefined) return;
    for (const { name, now } of changes) {
      if (now === undefined) continue;
      const { claim } = now.attributes.chunk;
      const what = `${name} of ${claim.node} through ${now.attributes.peer ?? "itself"}`;
      if (!this.#mayOriginate(name, claim.node)) this.broken(node, `took ${what}, which is not its owner`);
      if (!this.#administration.mayBeKeyOf(claim.node, claim.key)) this.broken(node, `took ${what} by another's key`);
      if (now.filtered !== undefined) this.broken(node, `chose ${what}, which it filtered: ${now.filtered.why}`);
      if (hasWord(now.attributes.path, this.#administration.domainOf(node.id)))
        this.broken(node, `chose a loop: ${what}`);
    }
  }

  event(node: SimNode, event: SpeakerEvent): void {
    switch (event.kind) {
      case "established":
        this.#established++;
        this.#checkPeer(node, event.peer, event.connection);
        break;
      case "updated":
        return; // RIBs are held against the oracle
      case "down":
        break; // told as a session's end as well
      case "session":
        if (event.reason.kind === "complained" || event.reason.kind === "was-notified") {
          increment(this.#complaints, `${event.reason.kind} ${event.reason.code}/${event.reason.subcode}`);
        }
        break;
      case "limit":
        increment(this.#limits, event.then);
        if (event.then === "disable") this.disabled.add(`${node.id} ${event.peer}`);
        break;
      case "malformed":
        this.#routesMalformed += event.routes;
        break;
      case "refused":
        increment(this.#complaints, "refused");
        break;
      case "not-offered":
        this.broken(node, `was to offer what is no route: ${event.text}`);
        break;
      default:
        event satisfies never;
    }
    this.#trace.line(this.#clock.now, node.id, `event-${event.kind}`, explain(event));
  }

  broken(node: SimNode, text: string): void {
    this.#trace.line(this.#clock.now, node.id, "broken", text);
    this.violations.push({ at: this.#clock.now, node: node.id, text });
  }

  /**
   * RFC 4271 §6.8: of two connections the same one goes at both ends. Where each end sees another one go, none is left, and
   * only the jitter of the next dials makes it good.
   */
  frame({
    connection,
    from,
    to,
    text,
  }: {
    readonly connection: number;
    readonly from: string;
    readonly to: string;
    readonly text: string;
  }): void {
    if (!text.startsWith('{"type":"notification"') || !text.includes('"connection-collision"')) return;
    const before = this.#collisions.get(`${to} ${from}`);
    this.#collisions.set(`${from} ${to}`, { at: this.#clock.now, connection });
    if (before === undefined || before.connection === connection || this.#clock.now - before.at > COLLISION) return;
    if (this.#network.between(from, to).length > 0) return;
    this.violations.push({
      at: this.#clock.now,
      node: to,
      text: `collided with ${from}, and both connections were ended`,
    });
  }

  /** Whoever is at the other end has proved to be that peer: it has to be. */
  #checkPeer(node: SimNode, peer: string, connection: string): void {
    const really = this.#network.farEnd(node, connection);
    if (node.liar === undefined && really !== undefined && really !== peer) {
      this.broken(node, `took ${really} for ${peer}`);
    }
  }

  #mayOriginate(name: string, origin: string): boolean {
    let owners = this.#ownersOf.get(name);
    if (owners === undefined) {
      const entries = this.#owners.filter(({ routes }) => routes.some((pattern) => matchesPattern(pattern, name)));
      owners = new Set(entries.map(({ node }) => node));
      this.#ownersOf.set(name, owners);
    }
    return owners.has(origin);
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function detailOf(input: SpeakerInput): string {
  switch (input.type) {
    case "received-text":
      return `${input.connection} ${input.text}`;
    case "accepted":
    case "connected":
      return input.connection;
    case "dial-failed":
    case "lost":
      return `${input.connection} ${input.text}`;
    case "configure-peer":
      return input.peer.node;
    case "originate":
      return JSON.stringify([input.announce, input.withdraw]);
    case "start-peer":
    case "stop-peer":
    case "remove-peer":
    case "refresh-peer":
    case "keep-alive":
    case "forget-epoch":
      return input.node;
    case "received":
    case "set-owners":
    case "tick":
    case "going-down":
      return "";
    default:
      return input satisfies never;
  }
}

function explain(event: Exclude<SpeakerEvent, { readonly kind: "updated" }>): string {
  switch (event.kind) {
    case "established":
      return `${event.peer} ${event.connection}`;
    case "down":
    case "session":
      return `${event.peer} ${JSON.stringify(event.reason)}`;
    case "refused":
      return `${event.connection} ${event.text}`;
    case "limit":
      return `${event.peer} ${event.then} ${event.routes}`;
    case "malformed":
      return `${event.peer} ${event.routes} ${event.text}`;
    case "not-offered":
      return event.text;
    default:
      return event satisfies never;
  }
}
