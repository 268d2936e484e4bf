// A peer's state in the RIB: its compiled configuration, its Adj-RIB-In and Adj-RIB-Out. It outlives a
// session while stale routes are kept, or while damping penalties count.

import { AdjRibIn } from "../adj-rib-in/adj-rib-in.ts";
import type { ImportingPeer } from "../adj-rib-in/judge.ts";
import type { AdjRibOut } from "../adj-rib-out/adj-rib-out.ts";
import type { ExportingPeer } from "../adj-rib-out/offer.ts";
import { RouteDamping } from "../limits/damping.ts";
import type { PeerLimits } from "../limits/route-limit.ts";
import type { ChunkCache } from "../origin/chunk-cache.ts";
import { compilePolicy } from "../policy/compile.ts";
import type { PolicyRoute, PolicyVerdict } from "../policy/route-policy.ts";
import type { DomainId, NodeId } from "../wire/names.ts";
import type { RibPeer } from "./config.ts";

/** At least so many damping penalties are kept, however low the peer's limit of routes. */
const FEW_PENALTIES = 1000;

type Policy = (route: PolicyRoute) => PolicyVerdict;

export class KnownPeer implements ImportingPeer, ExportingPeer {
  readonly node: NodeId;
  readonly domain: DomainId;
  readonly internal: boolean;
  keys: readonly string[] = [];
  limits: PeerLimits;
  importPolicy!: Policy;
  exportPolicy!: Policy;
  /** The configuration that decides import, and export, as text: a change is noticed by comparing it. */
  importTerms = "";
  exportTerms = "";
  #dampingTerms: string | undefined;
  damping: RouteDamping | undefined;
  readonly in: AdjRibIn;
  /** `undefined` without an established session. */
  out: AdjRibOut | undefined;
  /** Until when stale paths stay (monotonic milliseconds), and that time's length from the loss of the session on. */
  keep: { readonly until: number; readonly time: number } | undefined;
  /** Its end-of-table has come in this session. */
  whole = false;
  /** A refresh is under way: it sends its table again, and end-of-table has not come yet. */
  refreshing = false;
  /** Routes of it were dropped for its limit, and are missing now. */
  dropped = false;
  /** Announcements of it were rejected because of the clock or the pinned keys at that time. */
  disbelieved = false;
  /** How many leaves it has announced since `shedLeaves` last ran (adj-rib-in/shed-leaves.ts). */
  leavesSince = 0;
  /** Wall clock seconds: none of its paths expires before that. */
  voidFrom = Number.POSITIVE_INFINITY;
  /** It should be asked for its table (RFC 2918), and has not been yet. */
  wanted = false;

  constructor(config: RibPeer, ownDomain: DomainId, chunks: ChunkCache) {
    this.node = config.node;
    this.domain = config.domain;
    this.internal = config.domain === ownDomain;
    this.in = new AdjRibIn(chunks);
    this.limits = config.limits;
    this.configure(config);
  }

  /** The domain cannot change: that takes a new session, and a new KnownPeer. */
  configure(config: RibPeer): void {
    const { internal } = this;
    this.keys = config.keys;
    const { damping } = config.limits;
    if (JSON.stringify(damping) !== this.#dampingTerms) {
      this.#dampingTerms = JSON.stringify(damping);
      this.damping = damping && new RouteDamping(damping);
    }
    // As many penalties as it may have routes, because penalties of withdrawn routes cost memory too.
    this.damping?.allow(Math.max(FEW_PENALTIES, config.limits.routes.routes));
    this.limits = config.limits;
    const importTerms = JSON.stringify([config.keys, config.import, config.limits.pathLength, config.limits.damping]);
    if (importTerms !== this.importTerms) {
      this.importTerms = importTerms;
      this.importPolicy = compilePolicy(config.import, { direction: "import", internal });
    }
    const exportTerms = JSON.stringify(config.export);
    if (exportTerms !== this.exportTerms) {
      this.exportTerms = exportTerms;
      this.exportPolicy = compilePolicy(config.export, { direction: "export", internal });
    }
  }

  get pathLength(): number {
    return this.limits.pathLength;
  }
}
