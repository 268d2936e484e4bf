// Speakers in one process, on connections that hold and a clock that the test moves. What it takes to see them talk; the
// simulator has the faults.

import { defaultLimits } from "../limits/default-limits.ts";
import type { PeerLimits } from "../limits/route-limit.ts";
import type { Owner, RoutePolicy } from "../policy/route-policy.ts";
import { signWith, verifySignature } from "../proof/identity.ts";
import type { ConnectionId } from "../session/session.ts";
import type { NodeId } from "../wire/names.ts";
import { encodeFrame } from "../wire/read-message.ts";
import { Speaker } from "./speaker.ts";
import type { At, PeerConfig, SpeakerConfig, SpeakerTiming } from "./speaker-config.ts";
import type { SpeakerEffect, SpeakerEvent } from "./speaker-effect.ts";
import type { SpeakerInput } from "./speaker-input.ts";

export const timing: SpeakerTiming = {
  holdTime: 90_000,
  minHoldTime: 3_000,
  connectTime: 10_000,
  openTime: 10_000,
  backoff: { first: 1_000, last: 60_000 },
  restartTime: 120_000,
  deferral: 60_000,
  advertisementInterval: 0,
  tolerance: 300,
  lifetime: 86_400,
  maxLifetime: 7 * 86_400,
  epochGrace: 120_000,
};

export const everything: RoutePolicy = { clauses: [{ name: "all", then: "accept", unowned: true }] };

export interface Sent {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly type: string;
  readonly text: string;
}

interface Wire {
  readonly ends: readonly [NodeId, NodeId];
}

export class Speakers {
  readonly sent: Sent[] = [];
  readonly events: { readonly at: NodeId; readonly event: SpeakerEvent }[] = [];
  readonly #speakers = new Map<NodeId, Speaker>();
  readonly #wires = new Map<ConnectionId, Wire>();
  readonly #epochs = new Map<NodeId, number>();
  readonly #queue: (() => void)[] = [];
  readonly #cut = new Set<string>();
  now = 1_000_000;
  #nonces = 0;

  get at(): At {
    return { now: this.now, wall: 1_700_000_000 + this.now / 1000 };
  }

  speaker(node: NodeId): Speaker {
    const speaker = this.#speakers.get(node);
    if (speaker === undefined) throw new Error(`${node} is down`);
    return speaker;
  }

  start(node: NodeId, change: Partial<SpeakerConfig> = {}): Speaker {
    const epoch = (this.#epochs.get(node) ?? 0) + 1;
    this.#epochs.set(node, epoch);
    const { publicKey, sign } = identity(node);
    const config: SpeakerConfig = {
      ...{ node, name: node, domain: node, key: publicKey, sign, epoch, restarting: epoch > 1, owners: [], timing },
      ...{ chunkSize: 256, updateRoutes: 1024, random: () => 0.5, verify: verifySignature },
      nonce: () => Buffer.alloc(32, `nonce ${++this.#nonces} `).toString("base64url"),
      ...change,
    };
    const speaker = new Speaker(config, this.at);
    this.#speakers.set(node, speaker);
    return speaker;
  }

  /** Gone without a word; `told`: its peers see their connections close. */
  crash(node: NodeId, told = true): void {
    this.#speakers.delete(node);
    for (const [connection, { ends }] of [...this.#wires]) {
      if (!ends.includes(node)) continue;
      this.#wires.delete(connection);
      const other = ends[0] === node ? ends[1] : ends[0];
      if (told) this.tell(other, { type: "lost", connection, text: "connection reset" });
    }
    this.run();
  }

  cut(a: NodeId, b: NodeId): void {
    this.#cut.add(pair(a, b));
  }

  heal(a: NodeId, b: NodeId): void {
    this.#cut.delete(pair(a, b));
  }

  peer(node: NodeId, other: NodeId, change: Partial<PeerConfig> = {}): void {
    const peer: PeerConfig = {
      ...{ node: other, keys: [identity(other).publicKey], domain: undefined, secrets: [pairSecret(node, other)] },
      ...{ address: node < other ? other : undefined, import: everything, export: everything, limits, required: [] },
      ...change,
    };
    this.tell(node, { type: "configure-peer", peer });
  }

  /** Both ways, and all that follows. */
  join(a: NodeId, b: NodeId, change: Partial<PeerConfig> = {}): void {
    this.peer(a, b, change);
    this.peer(b, a, change);
    this.run();
  }

  tell(node: NodeId, input: SpeakerInput): readonly SpeakerEffect[] {
    const effects = this.#speakers.get(node)?.handle(input, this.at) ?? [];
    for (const effect of effects) this.#carryOut(node, effect);
    return effects;
  }

  originate(node: NodeId, ...names: string[]): void {
    this.tell(node, { type: "originate", announce: names.map((name) => [name, ""] as const), withdraw: [] });
    this.run();
  }

  withdraw(node: NodeId, ...names: string[]): void {
    this.tell(node, { type: "originate", announce: [], withdraw: names });
    this.run();
  }

  /** Whatever is on its way arrives. */
  run(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next();
  }

  /** Time passes, deadline by deadline. */
  pass(milliseconds: number): void {
    const until = this.now + milliseconds;
    while (this.step(until - this.now));
    this.now = until;
  }

  /** On to the next deadline, and what follows of it. @returns false where none is within so many milliseconds */
  step(milliseconds: number): boolean {
    const until = this.now + milliseconds;
    this.run();
    let next: [NodeId, number] | undefined;
    for (const [node, speaker] of this.#speakers) {
      const deadline = speaker.deadline();
      if (deadline !== undefined && (next === undefined || deadline < next[1])) next = [node, deadline];
    }
    if (next === undefined || next[1] > until) return false;
    this.now = Math.max(this.now, next[1]);
    this.tell(next[0], { type: "tick" });
    this.run();
    return true;
  }

  /** A message that `from`'s own speaker knows nothing of, with the number that `to` expects next of it. */
  inject(from: NodeId, to: NodeId, message: Readonly<Record<string, unknown>>): void {
    const session = this.speaker(to).session(from);
    if (session?.connection === undefined) throw new Error(`${to} has no session with ${from}`);
    const value = { seq: session.received, ...message };
    this.tell(to, { type: "received-text", connection: session.connection, text: JSON.stringify(value) });
    this.run();
  }

  /** `from → path` of a node's best way to a name, or nothing. */
  way(node: NodeId, name: string): string | undefined {
    const best = this.speaker(node).best(name);
    return best && `${best.attributes.peer ?? "self"}: ${best.attributes.path}`;
  }

  established(node: NodeId, other: NodeId): boolean {
    return this.#speakers.get(node)?.session(other) !== undefined;
  }

  #carryOut(node: NodeId, effect: SpeakerEffect): void {
    switch (effect.type) {
      case "dial": {
        const { connection, address } = effect;
        this.#queue.push(() => {
          if (!this.#speakers.has(address) || this.#cut.has(pair(node, address))) {
            this.tell(node, { type: "dial-failed", connection, text: "connection refused" });
            return;
          }
          this.#wires.set(connection, { ends: [node, address] });
          this.tell(address, { type: "accepted", connection });
          this.tell(node, { type: "connected", connection });
        });
        break;
      }
      case "send": {
        const text = encodeFrame(effect.message);
        const to = this.#otherEnd(effect.connection, node);
        if (to === undefined) break;
        this.sent.push({ from: node, to, type: effect.message.type, text });
        if (this.#cut.has(pair(node, to))) break;
        this.#queue.push(() => this.tell(to, { type: "received-text", connection: effect.connection, text }));
        break;
      }
      case "disconnect": {
        const { connection } = effect;
        const to = this.#otherEnd(connection, node);
        this.#queue.push(() => {
          if (!this.#wires.delete(connection) || to === undefined || this.#cut.has(pair(node, to))) return;
          this.tell(to, { type: "lost", connection, text: "connection closed" });
        });
        break;
      }
      case "event":
        this.events.push({ at: node, event: effect.event });
        break;
      case "routes":
        break;
      default:
        effect satisfies never;
    }
  }

  #otherEnd(connection: ConnectionId, node: NodeId): NodeId | undefined {
    const ends = this.#wires.get(connection)?.ends;
    return ends && (ends[0] === node ? ends[1] : ends[0]);
  }
}

export const limits: PeerLimits = defaultLimits;

export function identity(node: NodeId): ReturnType<typeof signWith> {
  return signWith(Buffer.alloc(32, `seed of ${node} `));
}

export function owner(node: NodeId, ...routes: string[]): Owner {
  return { routes, node, keys: [identity(node).publicKey] };
}

export function pairSecret(a: NodeId, b: NodeId): Uint8Array {
  return Buffer.alloc(32, `secret of ${pair(a, b)} `);
}

function pair(a: NodeId, b: NodeId): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
