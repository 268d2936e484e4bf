// A RIB in domain `home` with peers around it, and origins whose signatures are cheap: a hash over the key and the
// text, which the fixture's `verify` knows how to make again. What signatures are worth is tested in origin/.

import { createHash, hash } from "node:crypto";
import { defaultLimits } from "../limits/default-limits.ts";
import type { PeerLimits } from "../limits/route-limit.ts";
import type { Chunk } from "../origin/chunk.ts";
import { signChunks } from "../origin/sign.ts";
import type { RouteClause, RoutePolicy } from "../policy/route-policy.ts";
import type { Announcement, Leaf } from "../wire/message.ts";
import type { DomainId, NodeId, RouteName } from "../wire/names.ts";
import type { Update } from "../wire/read-update.ts";
import { wordsOf } from "../wire/words.ts";
import type { At, RibConfig, RibPeer } from "./config.ts";
import type { Path } from "./path.ts";
import { type Received, Rib } from "./rib.ts";

export const WALL = 1_700_000_000;
export const at = (now: number): At => ({ now, wall: WALL + now / 1000 });

export const keyOf = (node: NodeId): string => hash("sha256", node, "buffer").toString("base64url");
export const digestOf = (text: string): string =>
  text === "" ? "" : hash("sha256", text, "buffer").toString("base64url");
const signAs = (key: string, bytes: Uint8Array): Buffer => createHash("sha512").update(key).update(bytes).digest();

export const everything: RoutePolicy = { clauses: [{ name: "everything", then: "accept", unowned: true }] };
export const policy = (...clauses: readonly RouteClause[]): RoutePolicy => ({ clauses });

export const limits = (changes: Partial<PeerLimits> = {}): PeerLimits => ({
  ...defaultLimits,
  damping: undefined,
  ...changes,
});

export const config = (changes: Partial<RibConfig> = {}): RibConfig => ({
  node: "n-home",
  domain: "home",
  owners: [],
  tolerance: 60,
  maxLifetime: 7200,
  epochGrace: 120_000,
  verify: (key, bytes, signature) => signAs(key, bytes).toString("base64url") === signature,
  ...changes,
});

/** By default of a domain of its own, and lets everything in and out. */
export const peer = (node: NodeId, changes: Partial<RibPeer> = {}): RibPeer => ({
  node,
  domain: `d-${node}`,
  keys: [keyOf(node)],
  import: everything,
  export: everything,
  limits: limits(),
  ...changes,
});

export interface Signing {
  readonly domain?: DomainId;
  readonly key?: string;
  readonly epoch?: number;
  readonly expires?: number;
  readonly chunkSize?: number;
}

const leafOf = (route: RouteName | Leaf): Leaf => (typeof route === "string" ? [route, ""] : route);

/** Chunks of that node's. */
export function chunks(node: NodeId, routes: readonly (RouteName | Leaf)[], signing: Signing = {}): Chunk[] {
  const { domain = `d-${node}`, key = keyOf(node), epoch = 1, expires = WALL + 3600, chunkSize } = signing;
  const who = { node, domain, key, epoch, expires, ...(chunkSize === undefined ? {} : { chunkSize }) };
  return signChunks(routes.map(leafOf), who, (bytes) => signAs(key, bytes));
}

export interface Announcing extends Signing {
  readonly path?: readonly DomainId[];
  readonly tags?: readonly string[];
  readonly localPreference?: number;
}

/** That node's routes, as they are announced; by default over the path of its own domain alone. */
export function announce(
  node: NodeId,
  routes: readonly (RouteName | Leaf)[],
  { path, tags, localPreference, ...signing }: Announcing = {},
): Announcement[] {
  const domain = signing.domain ?? path?.at(-1) ?? `d-${node}`;
  return chunks(node, routes, { ...signing, domain }).map(({ claim, leaves }) => ({
    path: wordsOf(path ?? [domain]),
    ...(tags === undefined ? {} : { tags: wordsOf(tags) }),
    ...(localPreference === undefined ? {} : { localPreference }),
    origin: claim,
    leaves: structuredClone(leaves) as Announcement["leaves"],
  }));
}

export const update = (announced: readonly Announcement[], withdraw: readonly RouteName[] = []): Update => ({
  announce: announced,
  withdraw,
  malformed: [],
});

/** A RIB, and a clock beside it that stands still until it is set. */
export class Bench {
  readonly rib: Rib;
  now = 0;

  constructor(changes: Partial<RibConfig> = {}) {
    this.rib = new Rib(config(changes));
  }

  get at(): At {
    return at(this.now);
  }

  open(...peers: readonly RibPeer[]): this {
    for (const each of peers) this.rib.openPeer(each, this.at);
    return this;
  }

  /** Those have sent their tables. */
  whole(...nodes: readonly NodeId[]): this {
    for (const node of nodes) this.rib.endOfTable(node, this.at);
    return this;
  }

  receive(from: NodeId, announced: readonly Announcement[], withdraw: readonly RouteName[] = []): Received {
    return this.rib.receive(from, update(announced, withdraw), this.at);
  }

  malformed(from: NodeId, ...routes: readonly RouteName[]): Received {
    return this.rib.receive(from, { announce: [], withdraw: [], malformed: [{ routes, text: "malformed" }] }, this.at);
  }

  /** Sets the clock; ticks as often as there is something to do on the way. */
  advanceTo(now: number): void {
    for (let due = this.rib.deadline(); due !== undefined && due <= now; due = this.rib.deadline()) {
      this.now = Math.max(this.now, due);
      this.rib.tick(this.at);
      if (this.rib.deadline() === due && due >= this.now) throw new Error(`tick at ${due} left its own deadline`);
    }
    this.now = now;
    this.rib.tick(this.at);
  }

  /** Whose path is the best; "self" for our own. */
  bestFrom(name: RouteName): NodeId | "self" | undefined {
    const best = this.rib.best(name);
    return best && (best.attributes.peer ?? "self");
  }

  /** Of the path that came from that peer: why it is filtered; "" if it is a candidate; `undefined`: there is none. */
  why(name: RouteName, from: NodeId): string | undefined {
    const path = this.path(name, from);
    return path && (path.filtered === undefined ? "" : `${path.filtered.why} ${path.filtered.by}`.trim());
  }

  path(name: RouteName, from: NodeId): Path | undefined {
    return [...this.rib.received(from)].find((path) => path.name === name);
  }

  /** All that is pending for that peer, update by update. */
  drain(
    to: NodeId,
    maxRoutes = 4096,
  ): { withdraw: RouteName[]; announce: Announcement[]; ends: number; updates: number } {
    const all = { withdraw: [] as RouteName[], announce: [] as Announcement[], ends: 0, updates: 0 };
    while (this.rib.pending(to)) {
      const { withdraw, announce: announced, endOfTable } = this.rib.take(to, maxRoutes);
      all.withdraw.push(...withdraw);
      all.announce.push(...announced);
      all.updates += 1;
      if (endOfTable) all.ends += 1;
    }
    return all;
  }
}

export const namesIn = (announced: readonly Announcement[]): RouteName[] =>
  announced.flatMap(({ leaves }) => leaves.flatMap(([name]) => (typeof name === "string" ? [name] : [])));
