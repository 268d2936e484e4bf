// Turns updates into paths, and changes or removes paths at updates, soft resets and expiry.
// The only place that puts, replaces or removes a peer's path, always in Adj-RIB-In and among Loc-RIB's candidates
// together.

import { checkRouteLimit } from "../limits/check-route-limit.ts";
import type { RouteLimit } from "../limits/route-limit.ts";
import type { LocRib } from "../loc-rib/loc-rib.ts";
import { type Assessment, voidFrom } from "../origin/assess.ts";
import type { Chunk, OriginFault, OriginVerdict } from "../origin/chunk.ts";
import { ChunkCache } from "../origin/chunk-cache.ts";
import { isLeaf } from "../origin/merkle.ts";
import { ownersOf } from "../origin/ownership.ts";
import type { Owner } from "../policy/route-policy.ts";
import type { At, RibConfig } from "../rib/config.ts";
import type { KnownPeer } from "../rib/known-peer.ts";
import type { Received } from "../rib/outcome.ts";
import type { Filtered, Path, ReceivedAttributes } from "../rib/path.ts";
import { sameAttributes, sameCourse, sameFilter } from "../rib/same.ts";
import type { Announcement, Leaf, Pruned, Repeatable } from "../wire/message.ts";
import type { NodeId, RouteName } from "../wire/names.ts";
import type { Update } from "../wire/read-update.ts";
import { hasMoreWords } from "../wire/words.ts";
import { Epochs } from "./epochs.ts";
import { epochKeys, type Grounds, Judge, type Judgement, pinnedKeys, voidness } from "./judge.ts";
import { coursesFault, readApart, readAttributes } from "./read-attributes.ts";
import { mayShed, shedLeaves } from "./shed-leaves.ts";
import { complain, count, emptyTally, type Tally } from "./tally.ts";

const DAMPED: Filtered = { why: "damped", by: "" };
/** Rejections that may end if the clock is set or another key is pinned. */
const MAY_BE_GOOD_YET: readonly OriginFault[] = ["expired", "too-long", "foreign-key"];
/** The number of remembered origin keys above which unneeded ones are pruned. */
const MANY_ORIGINS = 4096;

export class Intake {
  readonly chunks = new ChunkCache();
  readonly #config: RibConfig;
  readonly #locRib: LocRib;
  readonly #epochs: Epochs;
  #grounds: Grounds;
  #mostOrigins = MANY_ORIGINS;

  constructor(config: RibConfig, locRib: LocRib) {
    this.#config = config;
    this.#locRib = locRib;
    this.#epochs = new Epochs(config.epochGrace);
    const { node, domain, tolerance } = config;
    this.#grounds = { node, domain, tolerance, epochs: this.#epochs, ownership: ownersOf(config.owners) };
  }

  set owners(owners: readonly Owner[]) {
    this.#grounds = { ...this.#grounds, ownership: ownersOf(owners) };
  }

  receive(peer: KnownPeer, update: Update, at: At): Received {
    const tally = emptyTally();
    const before = limitReached(peer.in.load, peer.limits.routes);
    const wasDropped = peer.dropped;
    // RFC 4271 §4.3: a name that is both withdrawn and announced counts as announced.
    for (const name of update.withdraw) this.#withdraw(peer, name, tally, at);
    for (const { routes, text } of update.malformed) {
      for (const name of routes) this.#withdraw(peer, name, tally, at);
      complain(tally, routes.length, text);
    }
    for (const announcement of update.announce) {
      this.#announce(peer, announcement, tally, at);
      if (tally.limit !== undefined) return tally;
    }
    if (mayShed(peer.leavesSince, peer.in.size)) {
      peer.leavesSince = 0;
      shedLeaves(peer.in.values(), this.chunks);
    }
    const after = limitReached(peer.in.load, peer.limits.routes);
    if (peer.dropped && !wasDropped) tally.limit = "drop";
    else if (after > before) tally.limit = "warn";
    return tally;
  }

  /**
   * Removes a path without a damping penalty: its session is gone, or its peer's table came without it.
   * RFC 2439 §4.8.5 would penalise each route for the loss of a session; here sessions have a damping of
   * their own (RFC 4271 §8.1.1).
   */
  remove(peer: KnownPeer, path: Path): void {
    peer.in.remove(path);
    if (path.filtered === undefined) this.#locRib.change(path.name, path, undefined);
    this.checkRoom(peer);
  }

  /** Removes stale paths. @returns how many */
  sweep(peer: KnownPeer): number {
    const { stale } = peer.in;
    if (stale > 0) for (const path of peer.in.values()) if (path.stale) this.remove(peer, path);
    return stale;
  }

  /** Routes were dropped for the limit: wants the peer's table again once there is room for more than a few. */
  checkRoom(peer: KnownPeer): void {
    if (!peer.dropped) return;
    const { routes, warnAt, then } = peer.limits.routes;
    if (then === "drop" && peer.in.load >= routes * warnAt) return;
    peer.dropped = false;
    peer.wanted = true;
  }

  /**
   * Judges all paths of the peer again, after a change of a policy, an owner, a key or a limit (the soft reset of RFC 2918
   * §1). Paths longer than `cutAt` domains were stored truncated, so they are removed and asked for again.
   */
  reconsider(peer: KnownPeer, at: At, cutAt = Number.POSITIVE_INFINITY): void {
    // A chunk is assessed once, however many of its routes have attributes of their own.
    const ofChunks = new Map<Chunk, Judge | undefined>();
    const judges = new Map<ReceivedAttributes, Judge | undefined>();
    for (const path of peer.in.values()) {
      const { received } = path;
      const { chunk } = received;
      if (!ofChunks.has(chunk)) {
        const verdict = this.#assess(peer, chunk, at, true);
        ofChunks.set(chunk, verdict.kind === "rejected" ? undefined : Judge.of(received, peer, this.#grounds, at));
      }
      if (!judges.has(received)) judges.set(received, ofChunks.get(chunk)?.beside(received));
      const judge = judges.get(received);
      // A chunk that is rejected now is treated as at receipt.
      const cut = hasMoreWords(received.path, cutAt);
      if (judge === undefined) peer.disbelieved = true;
      if (cut) peer.wanted = true;
      if (judge === undefined || cut) this.remove(peer, path);
      else this.#rejudge(peer, path, judge, at);
    }
  }

  /** Uses damped routes again whose penalty has decayed (RFC 2439 §4.8.7). */
  reuse(peer: KnownPeer, at: At): void {
    for (const name of peer.damping?.takeReusable(at.now) ?? []) {
      const path = peer.in.get(name);
      if (path?.filtered?.why === "damped")
        this.#rejudge(peer, path, Judge.of(path.received, peer, this.#grounds, at), at);
    }
  }

  /** When a path may become void next; monotonic milliseconds. */
  deadline(peers: Iterable<KnownPeer>, at: At): number {
    if (this.#crowded) return at.now;
    let voidFrom = Number.POSITIVE_INFINITY;
    for (const peer of peers) voidFrom = Math.min(voidFrom, peer.voidFrom);
    const expiry = at.now + Math.max(1, Math.ceil((voidFrom - at.wall) * 1000));
    return Math.min(expiry, this.#epochs.deadline() ?? Number.POSITIVE_INFINITY);
  }

  forgetEpochs(node: NodeId): void {
    this.#epochs.forget(node);
  }

  get #crowded(): boolean {
    return this.#epochs.size > this.#mostOrigins;
  }

  /**
   * Filters paths that have become void, if any are due. With `all` (the wall clock was set) it checks all paths, which may also become
   * valid again. A peer whose signatures expire every second costs scans of its own paths only.
   */
  judgeVoidness(peers: readonly KnownPeer[], at: At, all: boolean): void {
    const everybody = all || (this.#epochs.deadline() ?? Number.POSITIVE_INFINITY) <= at.now;
    this.#epochs.passed(at.now);
    for (const peer of peers) if (everybody || peer.voidFrom <= at.wall) this.#judgeVoidnessOf(peer, at);
    if (this.#crowded) this.#forgetOrigins(peers);
  }

  #judgeVoidnessOf(peer: KnownPeer, at: At): void {
    peer.voidFrom = Number.POSITIVE_INFINITY;
    let received: ReceivedAttributes | undefined;
    let why: Filtered["why"] | undefined;
    let judge: Judge | undefined;
    for (const path of peer.in.values()) {
      if (path.received !== received) {
        received = path.received;
        judge = undefined;
        why = voidness(received, peer, this.#grounds, at)?.why;
        if (why !== "expired") this.#expect(peer, received.chunk);
      }
      const was = path.filtered?.why;
      if (why === (was === "expired" || was === "old-epoch" ? was : undefined)) continue;
      judge ??= Judge.of(received, peer, this.#grounds, at);
      this.#rejudge(peer, path, judge, at);
    }
  }

  #expect(peer: KnownPeer, chunk: Chunk): void {
    peer.voidFrom = Math.min(peer.voidFrom, voidFrom(chunk.claim, this.#config.tolerance));
  }

  /** Forgets epochs of invented origins: keeps those whose keys are pinned or that have paths here. */
  #forgetOrigins(peers: readonly KnownPeer[]): void {
    const needed = new Set<string>();
    for (const peer of peers) {
      for (const key of peer.keys) needed.add(`${peer.node} ${key}`);
      for (const { received } of peer.in.values()) {
        const { node, key } = received.chunk.claim;
        needed.add(`${node} ${key}`);
      }
    }
    const { ownership } = this.#grounds;
    this.#epochs.prune((node, key) => needed.has(`${node} ${key}`) || ownership.keysOf(node)?.includes(key) === true);
    this.#mostOrigins = Math.max(MANY_ORIGINS, 2 * this.#epochs.size);
  }

  #withdraw(peer: KnownPeer, name: RouteName, tally: Tally, at: At): void {
    const path = peer.in.get(name);
    // Nothing of that peer's, whoever else has announced it.
    if (path === undefined) return;
    peer.damping?.onWithdraw(name, at.now);
    this.remove(peer, path);
    tally.withdrawn += 1;
  }

  /** RFC 7606 §2, treat-as-withdraw. */
  #disregard(peer: KnownPeer, leaves: readonly (Leaf | Pruned)[], text: string, tally: Tally, at: At): void {
    let routes = 0;
    for (const [name] of leaves) {
      if (typeof name !== "string") continue;
      routes += 1;
      this.#withdraw(peer, name, tally, at);
    }
    complain(tally, routes, text);
  }

  #announce(peer: KnownPeer, announcement: Announcement, tally: Tally, at: At): void {
    const fault = coursesFault(announcement, peer);
    if (fault !== undefined) {
      this.#disregard(peer, announcement.leaves, fault, tally, at);
      return;
    }
    const interning = this.chunks.intern(announcement);
    if (!interning.ok) {
      this.#disregard(peer, announcement.leaves, interning.text, tally, at);
      return;
    }
    const { chunk } = interning;
    const verdict = this.#assess(peer, chunk, at, false);
    if (verdict.kind === "rejected") {
      if (MAY_BE_GOOD_YET.includes(verdict.why)) peer.disbelieved = true;
      this.#disregard(peer, chunk.leaves, verdict.text, tally, at);
      return;
    }
    this.#expect(peer, chunk);
    peer.leavesSince += chunk.leaves.length;
    const judge = Judge.of(readAttributes(announcement, chunk, peer), peer, this.#grounds, at);
    const apart = judgesApart(announcement, judge, peer);
    const { leaves } = chunk;
    for (let place = 0; place < leaves.length; place += 1) {
      const leaf = leaves[place]!;
      if (!isLeaf(leaf)) continue;
      this.#announceRoute(peer, leaf, apart?.[place] ?? judge, tally, at);
      if (tally.limit !== undefined) return;
    }
  }

  #announceRoute(peer: KnownPeer, leaf: Leaf, judge: Judge, tally: Tally, at: At): void {
    const [name] = leaf;
    const { received } = judge;
    const known = peer.in.get(name);
    if (known !== undefined && isOf(known, leaf) && sameAttributes(known.received, received)) {
      peer.in.refresh(known);
      count(tally, known);
      return;
    }
    const { size } = peer.in;
    const over = this.#overLimit(peer, name, received, known);
    // Read again: #overLimit may have removed it as stale, to make room.
    const replaced = peer.in.size === size ? known : peer.in.get(name);
    if (over === "drop") {
      // The former path is removed too: the peer has replaced it by the one that is refused.
      if (replaced !== undefined) this.remove(peer, replaced);
      peer.dropped = true;
      tally.refused += 1;
      return;
    }
    if (over !== undefined) {
      tally.limit = over;
      return;
    }
    // RFC 4271 §9: a new announcement replaces the peer's former one, even by a worse path.
    const changed = replaced !== undefined && !(isOf(replaced, leaf) && sameCourse(replaced.received, received));
    const { damping } = peer;
    const damped =
      damping !== undefined && (changed ? damping.onChange(name, at.now) : damping.suppressed(name, at.now));
    const path = makePath(leaf, received, judge.judge(name), damped, false);
    this.#replace(peer, replaced, path);
    count(tally, path);
  }

  /** What the peer's limit does if that path is added; `undefined`: the path fits. */
  #overLimit(
    peer: KnownPeer,
    name: RouteName,
    received: ReceivedAttributes,
    known: Path | undefined,
  ): Exclude<RouteLimit["then"], "warn"> | undefined {
    const table = peer.in;
    const load = table.loadWith(name, received, known);
    // A replacement that costs no more is accepted, even if the limit was lowered meanwhile.
    if (load <= table.load) return undefined;
    const verdict = checkRouteLimit(load, peer.limits.routes);
    if (verdict === "ok" || verdict === "warn") return undefined;
    if (table.stale === 0) return verdict;
    // Stale paths from before the peer's restart do not count against its new table.
    this.sweep(peer);
    return this.#overLimit(peer, name, received, table.get(name));
  }

  #rejudge(peer: KnownPeer, path: Path, judge: Judge, at: At): void {
    const { name, digest, repeatable, received, stale } = path;
    const damped = peer.damping?.suppressed(name, at.now) === true;
    const judged = makePath([name, digest, repeatable], received, judge.judge(name), damped, stale);
    if (sameFilter(judged.filtered, path.filtered) && sameAttributes(judged.attributes, path.attributes)) return;
    this.#replace(peer, path, judged);
  }

  #replace(peer: KnownPeer, gone: Path | undefined, come: Path): void {
    peer.in.put(come, gone);
    const was = gone?.filtered === undefined ? gone : undefined;
    this.#locRib.change(come.name, was, come.filtered === undefined ? come : undefined);
  }

  /**
   * The earliest epoch of an origin that a peer may announce: the highest that was seen. A session's first table may have an
   * earlier epoch during the grace time: which peer's table arrives first is chance, and must not decide which path is chosen.
   */
  #earliest(peer: KnownPeer, node: NodeId, keys: readonly string[], at: At): number | undefined {
    return peer.whole ? this.#epochs.highest(node, keys) : this.#epochs.floor(node, keys, at.now);
  }

  /** @param again for a chunk that is kept, and was accepted when it came */
  #assess(peer: KnownPeer, chunk: Chunk, at: At, again: boolean): OriginVerdict {
    const { tolerance, maxLifetime, verify } = this.#config;
    const { node, key, epoch, expires } = chunk.claim;
    const pinned = pinnedKeys(node, peer, this.#grounds.ownership);
    const keys = epochKeys(key, pinned);
    const context: Assessment = {
      // An expired chunk is filtered (voidness), not rejected.
      wall: again ? Math.min(at.wall, expires) : at.wall,
      keysOf: () => pinned,
      epochOf: () => (again ? undefined : this.#earliest(peer, node, keys, at)),
      tolerance,
      maxLifetime: again ? Number.POSITIVE_INFINITY : maxLifetime,
      verify,
    };
    const verdict = this.chunks.assess(chunk, context);
    if (verdict.kind !== "rejected") this.#epochs.record(node, key, epoch, keys, at.now);
    return verdict;
  }
}

/** By the place of the leaf: of those that have attributes of their own. */
function judgesApart(
  { apart }: Announcement,
  judge: Judge,
  peer: KnownPeer,
): readonly (Judge | undefined)[] | undefined {
  if (apart === undefined) return undefined;
  const judges: Judge[] = [];
  const { at } = apart;
  for (let entry = 0; entry < at.length; entry += 1) {
    const own = judge.beside(readApart(apart, entry, judge.received, peer));
    const places = at[entry]!;
    if (typeof places === "number") judges[places] = own;
    else for (const place of places) judges[place] = own;
  }
  return judges;
}

/** A leaf's fields, from a chunk or from a path. */
type Told = readonly [name: RouteName, digest: string, repeatable?: Repeatable | undefined];

function makePath(
  [name, digest, repeatable]: Told,
  received: ReceivedAttributes,
  { attributes, filtered }: Judgement,
  damped: boolean,
  stale: boolean,
): Path {
  return { name, digest, repeatable, received, attributes, filtered: filtered ?? (damped ? DAMPED : undefined), stale };
}

const isOf = (path: Path, [, digest, repeatable]: Leaf): boolean =>
  path.digest === digest && path.repeatable === repeatable;

/** 0: below the warning; 1: at the warning or above; 2: above the limit. */
function limitReached(routes: number, limit: RouteLimit): number {
  if (routes > limit.routes) return 2;
  return routes >= limit.routes * limit.warnAt ? 1 : 0;
}
