// The routing information base (RFC 4271 §3.2): Adj-RIB-In → import policy → decision → Loc-RIB → export policy →
// Adj-RIB-Out. Without I/O: it takes inputs with their time, and returns what changed and what to send.

import { Intake } from "../adj-rib-in/intake.ts";
import { AdjRibOut, type KeptBack } from "../adj-rib-out/adj-rib-out.ts";
import { LocRib } from "../loc-rib/loc-rib.ts";
import type { Chunk } from "../origin/chunk.ts";
import type { Owner } from "../policy/route-policy.ts";
import type { NodeId, RouteName } from "../wire/names.ts";
import type { Update } from "../wire/read-update.ts";
import type { At, RibConfig, RibPeer } from "./config.ts";
import { KnownPeer } from "./known-peer.ts";
import type { Advertised, Outgoing, Received } from "./outcome.ts";
import { type BestChange, DEFAULT_PREFERENCE, type Path, type ReceivedAttributes } from "./path.ts";
import { sameWords } from "./same.ts";

export type { At, RibConfig, RibPeer } from "./config.ts";
export type { Advertised, Outgoing, Received } from "./outcome.ts";

/** If the wall clock moves by more seconds than this against the monotonic one, it was set. */
const CLOCK_WAS_SET = 2;

export class Rib {
  readonly #config: RibConfig;
  readonly #locRib = new LocRib();
  readonly #intake: Intake;
  readonly #own = new Map<RouteName, Path>();
  readonly #peers = new Map<NodeId, KnownPeer>();
  #at: At | undefined;
  /** Both clocks at the start, or when the wall clock was last set. */
  #clocks: At | undefined;
  #clockWasSet = false;

  constructor(config: RibConfig) {
    this.#config = config;
    this.#intake = new Intake(config, this.#locRib);
  }

  /** Our own routes: chunks that we signed, and names that we no longer offer. */
  originate(chunks: readonly Chunk[], withdraw: readonly RouteName[], at: At): void {
    this.#see(at);
    for (const name of withdraw) {
      const gone = this.#own.get(name);
      if (gone === undefined) continue;
      this.#own.delete(name);
      this.#locRib.change(name, gone, undefined);
    }
    for (const chunk of chunks) {
      const attributes = ownAttributes(chunk);
      for (const [name, digest, repeatable] of chunk.leaves) {
        if (typeof name !== "string") continue;
        const path = { name, digest, repeatable, received: attributes, attributes, filtered: undefined, stale: false };
        const gone = this.#own.get(name);
        this.#own.set(name, path);
        this.#locRib.change(name, gone, path);
      }
    }
  }

  /** A session is established: the peer's stale paths stay until its end-of-table, and it is sent the whole table. */
  openPeer(config: RibPeer, at: At): void {
    this.#see(at);
    const before = this.#peers.get(config.node);
    // Closes a former session that was never closed; and drops paths that came under the rules of another
    // domain.
    if (before?.out !== undefined || (before !== undefined && before.domain !== config.domain)) {
      this.closePeer(config.node, undefined, at);
    }
    const known = before?.domain === config.domain ? this.#peers.get(config.node) : undefined;
    const peer = known ?? this.#meet(config);
    // RFC 4724 §4.2: stale paths now wait for its end-of-table, for at most the same time again: a peer that
    // never ends its table must not keep withdrawn routes for ever.
    if (peer.keep !== undefined) peer.keep = { until: at.now + peer.keep.time, time: peer.keep.time };
    peer.whole = false;
    // No refresh is needed: the whole table comes anyway.
    peer.dropped = peer.disbelieved = peer.wanted = false;
    peer.out = new AdjRibOut(peer, this.#config.domain, this.#locRib);
    peer.out.tellAll(false);
    this.#locRib.follow(peer.out);
    if (peer === known) this.#configure(peer, config, at);
  }

  /** Ignores updates of a peer without a session. */
  receive(node: NodeId, update: Update, at: At): Received {
    this.#see(at);
    const peer = this.#open(node);
    return peer === undefined ? NOTHING_RECEIVED : this.#intake.receive(peer, update, at);
  }

  /** @returns how many stale paths were removed */
  endOfTable(node: NodeId, at: At): number {
    this.#see(at);
    const peer = this.#open(node);
    if (peer === undefined) return 0;
    peer.whole = true;
    peer.refreshing = false;
    return this.#sweep(peer);
  }

  /** The peer begins to send its table again (RFC 7313): paths that are not in it are removed at its end-of-table. */
  refreshBegins(node: NodeId, at: At): void {
    this.#see(at);
    const peer = this.#open(node);
    // RFC 7313 §4: not before the first table's end, which could be mistaken for the end of the refresh.
    if (peer?.whole !== true) return;
    peer.wanted = false;
    peer.disbelieved = false;
    // A refresh that begins again before its end goes on: paths that came since its beginning are current. Marking all paths each
    // time would cost us a scan of the table for one line of the peer.
    if (peer.refreshing) return;
    peer.refreshing = true;
    peer.in.markStale();
  }

  /** @param keepUntil its paths stay as stale until then (monotonic milliseconds; RFC 4724); `undefined`: they are removed now */
  closePeer(node: NodeId, keepUntil: number | undefined, at: At): void {
    this.#see(at);
    const peer = this.#peers.get(node);
    if (peer === undefined) return;
    if (peer.out !== undefined) this.#locRib.unfollow(peer.out);
    else if (keepUntil !== undefined) return;
    peer.out = undefined;
    if (keepUntil === undefined) {
      for (const path of peer.in.values()) this.#intake.remove(peer, path);
      this.#dismiss(peer);
      return;
    }
    // RFC 4724 §4.2: "To deal with possible consecutive restarts, a route (from the peer) previously marked as stale
    // MUST be deleted." That does not mean paths that are stale because of an interrupted refresh: the peer announced them in this
    // very session.
    if (!peer.whole) this.#sweep(peer);
    peer.in.markStale();
    peer.keep = { until: keepUntil, time: keepUntil - at.now };
  }

  /**
   * A soft reset: no peer has to send anything again. Other peers stay as they are; unknown ones are
   * ignored.
   */
  reconfigure(change: { readonly owners?: readonly Owner[]; readonly peers?: readonly RibPeer[] }, at: At): void {
    this.#see(at);
    if (change.owners !== undefined) {
      this.#intake.owners = change.owners;
      for (const peer of this.#peers.values()) {
        // Routes that were rejected for an unpinned key may be acceptable now.
        this.#wantAnew(peer);
        this.#intake.reconsider(peer, at);
      }
    }
    for (const config of change.peers ?? []) {
      const peer = this.#peers.get(config.node);
      if (peer !== undefined) this.#configure(peer, config, at);
    }
  }

  /** Forgets the epochs of one origin: any epoch that it signs now is accepted. */
  forgetEpochs(node: NodeId): void {
    this.#intake.forgetEpochs(node);
  }

  tick(at: At): void {
    this.#see(at);
    for (const peer of this.#peers.values()) {
      this.#intake.reuse(peer, at);
      if (peer.keep !== undefined && peer.keep.until <= at.now) this.#sweep(peer);
      if (peer.out === undefined && peer.keep === undefined) this.#dismiss(peer);
    }
    this.#intake.judgeVoidness([...this.#peers.values()], at, this.#clockWasSet);
    this.#clockWasSet = false;
  }

  /** When `tick` has something to do; monotonic milliseconds. */
  deadline(): number | undefined {
    const at = this.#at;
    if (at === undefined) return undefined;
    let earliest = this.#clockWasSet ? at.now : this.#intake.deadline(this.#peers.values(), at);
    for (const { keep, damping } of this.#peers.values()) {
      if (keep !== undefined) earliest = Math.min(earliest, keep.until);
      const reuse = damping?.nextReuse();
      if (reuse !== undefined) earliest = Math.min(earliest, reuse);
    }
    return earliest === Number.POSITIVE_INFINITY ? undefined : Math.max(earliest, at.now);
  }

  /** The changes of best paths since the last call, one for each name. */
  takeChanges(): BestChange[] {
    return this.#locRib.takeChanges();
  }

  pending(node: NodeId): boolean {
    return this.#peers.get(node)?.out?.pending === true;
  }

  take(node: NodeId, maxRoutes: number): Outgoing {
    return this.#peers.get(node)?.out?.take(maxRoutes) ?? NOTHING_TO_SEND;
  }

  /** The peer asked for a refresh (RFC 2918): the whole table again, then end-of-table. */
  resend(node: NodeId): void {
    this.#peers.get(node)?.out?.tellAll(true);
  }

  /** Holds back end-of-table, or also other nodes' routes, in the peer's present session; `nothing`: sends them. */
  keepBack(node: NodeId, what: KeptBack): void {
    this.#peers.get(node)?.out?.keepBack(what);
  }

  best(name: RouteName): Path | undefined {
    return this.#locRib.best(name);
  }

  /**
   * The best path first, then the other candidates in the decision's order, then filtered paths by their peers' ids.
   */
  pathsOf(name: RouteName): readonly Path[] {
    const filtered: Path[] = [];
    for (const node of [...this.#peers.keys()].sort()) {
      const path = this.#peers.get(node)?.in.get(name);
      if (path?.filtered !== undefined) filtered.push(path);
    }
    return [...this.#locRib.candidates(name), ...filtered];
  }

  /** All names with a best path. */
  names(): Iterable<RouteName> {
    return this.#locRib.names();
  }

  received(node: NodeId): Iterable<Path> {
    return this.#peers.get(node)?.in.values() ?? [];
  }

  advertised(node: NodeId): Iterable<Advertised> {
    return this.#peers.get(node)?.out?.advertised() ?? [];
  }

  /** Whether to ask the peer for its table, because routes that were dropped or rejected may be acceptable now; `true` once. */
  wantsRefresh(node: NodeId): boolean {
    const peer = this.#open(node);
    if (peer?.wanted !== true) return false;
    peer.wanted = false;
    return true;
  }

  #open(node: NodeId): KnownPeer | undefined {
    const peer = this.#peers.get(node);
    return peer?.out === undefined ? undefined : peer;
  }

  #meet(config: RibPeer): KnownPeer {
    const peer = new KnownPeer(config, this.#config.domain, this.#intake.chunks);
    this.#peers.set(config.node, peer);
    return peer;
  }

  #configure(peer: KnownPeer, config: RibPeer, at: At): void {
    const { keys, importTerms, exportTerms, pathLength } = peer;
    peer.configure(config);
    // Routes that were rejected for an unpinned key may be acceptable now.
    if (!sameWords(keys, peer.keys)) this.#wantAnew(peer);
    const cutAt = peer.pathLength > pathLength ? pathLength : undefined;
    if (peer.importTerms !== importTerms) this.#intake.reconsider(peer, at, cutAt);
    this.#intake.checkRoom(peer);
    if (peer.exportTerms !== exportTerms) peer.out?.reconsider();
  }

  /** All its paths are gone. The peer is kept while it has damping penalties, which outlast a session. */
  #dismiss(peer: KnownPeer): void {
    peer.keep = undefined;
    peer.dropped = peer.disbelieved = peer.wanted = false;
    if ((peer.damping?.size ?? 0) === 0) this.#peers.delete(peer.node);
  }

  #sweep(peer: KnownPeer): number {
    peer.keep = undefined;
    return this.#intake.sweep(peer);
  }

  #wantAnew(peer: KnownPeer): void {
    if (!peer.disbelieved) return;
    peer.disbelieved = false;
    peer.wanted = true;
  }

  /**
   * Takes the time; every input calls it. If the wall clock was set, expired paths and rejected announcements may be valid
   * again.
   */
  #see(at: At): void {
    this.#at = at;
    // Compared with the last setting, not with the last reading, because the clock may be set in small steps.
    if (this.#clocks === undefined) this.#clocks = at;
    const { now, wall } = this.#clocks;
    const step = at.wall - wall - (at.now - now) / 1000;
    if (Math.abs(step) <= CLOCK_WAS_SET) return;
    this.#clocks = at;
    this.#clockWasSet = true;
    for (const peer of this.#peers.values()) this.#wantAnew(peer);
  }
}

function ownAttributes(chunk: Chunk): ReceivedAttributes {
  const shared = { path: "", localPreference: DEFAULT_PREFERENCE, tags: "", chunk };
  return { peer: undefined, internal: false, ...shared, uses: 0 };
}

const NOTHING_RECEIVED: Received = {
  accepted: 0,
  filtered: 0,
  withdrawn: 0,
  refused: 0,
  malformed: [],
  limit: undefined,
};
const NOTHING_TO_SEND: Outgoing = { withdraw: [], announce: [], endOfTable: false };
