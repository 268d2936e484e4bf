// A peer as the RIB knows it: its configuration made ready, what it announced and what it was told. It outlives a
// session where its routes do, or where their past counts.

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

/** Penalties that are kept at the least, however few routes the peer may have. */
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
  /** All that its routes are judged by on their way in, and out. */
  importTerms = "";
  exportTerms = "";
  #dampingTerms: string | undefined;
  damping: RouteDamping | undefined;
  readonly in: AdjRibIn;
  /** Of the session that is established. */
  out: AdjRibOut | undefined;
  /** Until when stale paths stay, and how long that was from the loss of the session on; monotonic milliseconds. */
  keep: { readonly until: number; readonly time: number } | undefined;
  /** Its table has come to an end in this session. */
  whole = false;
  /** It sends its table again, and has not come to its end. */
  refreshing = false;
  /** The limit has cost it routes that are not there now. */
  dropped = false;
  /** It announced what we did not believe, by the clock or by the keys that we had then. */
  disbelieved = false;
  /** Leaves of its announcements since they were last looked through (adj-rib-in/shed-leaves.ts). */
  leavesSince = 0;
  /** Wall clock seconds: none of its paths is void for its age before that. */
  voidFrom = Number.POSITIVE_INFINITY;
  /** It should be asked for its table, and was not yet. */
  wanted = false;

  constructor(config: RibPeer, ownDomain: DomainId, chunks: ChunkCache) {
    this.node = config.node;
    this.domain = config.domain;
    this.internal = config.domain === ownDomain;
    this.in = new AdjRibIn(chunks);
    this.limits = config.limits;
    this.configure(config);
  }

  /** Its domain stays: another one is another session's. */
  configure(config: RibPeer): void {
    const { internal } = this;
    this.keys = config.keys;
    const { damping } = config.limits;
    if (JSON.stringify(damping) !== this.#dampingTerms) {
      this.#dampingTerms = JSON.stringify(damping);
      this.damping = damping && new RouteDamping(damping);
    }
    // As many as it may have routes: what is remembered of those that are gone is memory that it costs as well.
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
