// What operators know and decide, of all nodes of a run: keys, secrets, who owns what, policies, limits. Scripts change it;
// nodes are configured from it. It must not look into a node.

import { createHash } from "node:crypto";
import type { PeerLimits, RouteLimit } from "../limits/route-limit.ts";
import type { Owner, RouteClause } from "../policy/route-policy.ts";
import { secretId } from "../proof/create-prover.ts";
import { type Identity, signWith } from "../proof/identity.ts";
import type { PeerConfig } from "../speaker/speaker-config.ts";
import { Random } from "./random.ts";
import { policiesOf } from "./scenario/relations.ts";
import type { Script, ScriptLink, ScriptNode } from "./scenario/script.ts";

/** One node's view of one peer. */
export interface Side {
  readonly node: string;
  readonly peer: string;
  readonly link: ScriptLink;
  configured: boolean;
  /** Stopped by an operator, or by a limit that says so. */
  stopped: boolean;
  limit: RouteLimit | undefined;
  readonly filters: { readonly import: RouteClause[]; readonly export: RouteClause[] };
  secrets: readonly number[];
}

interface Keys {
  /** Generations of the node's key: the one in use, and others that are known to be its. */
  used: number;
  known: readonly number[];
  /** Known until a moment ago, while the nodes are told one by one that they are not any more. */
  parting: readonly number[];
}

const UNLIMITED: RouteLimit = { routes: 1_000_000, warnAt: 1, then: "warn", restartAfter: 5000 };

export class Administration {
  readonly #script: Script;
  readonly #nodes = new Map<string, ScriptNode>();
  readonly #sides = new Map<string, Map<string, Side>>();
  readonly #keys = new Map<string, Keys>();
  readonly #identities = new Map<string, Identity>();

  constructor(script: Script) {
    this.#script = script;
    for (const node of script.nodes) {
      this.#nodes.set(node.id, node);
      this.#sides.set(node.id, new Map());
      this.#keys.set(node.id, { used: 0, known: [0], parting: [] });
    }
    for (const link of script.links) {
      this.#addSide(link.a, link.b, link);
      this.#addSide(link.b, link.a, link);
    }
  }

  node(id: string): ScriptNode | undefined {
    return this.#nodes.get(id);
  }

  domainOf(id: string): string {
    return this.#nodes.get(id)?.domain ?? id;
  }

  side(node: string, peer: string): Side | undefined {
    return this.#sides.get(node)?.get(peer);
  }

  sidesOf(node: string): Iterable<Side> {
    return this.#sides.get(node)?.values() ?? [];
  }

  identity(node: string): Identity {
    return this.#identity(node, this.#keysOf(node).used);
  }

  /** The keys by which others know it; none other is its. */
  publicKeys(node: string): readonly string[] {
    return this.#keysOf(node).known.map((generation) => this.#identity(node, generation).publicKey);
  }

  /** Whether a node may take that key for the other's, as far as it can have been told by now. */
  mayBeKeyOf(node: string, key: string): boolean {
    const { known, parting } = this.#keysOf(node);
    return [...known, ...parting].some((generation) => this.#identity(node, generation).publicKey === key);
  }

  /** From now on it is known by these; `tell` says so to everybody. */
  publishKeys(node: string, known: readonly number[], tell: () => void): void {
    const keys = this.#keysOf(node);
    keys.parting = keys.known;
    keys.known = known;
    tell();
    keys.parting = [];
  }

  useKey(node: string, generation: number): void {
    this.#keysOf(node).used = generation;
  }

  keyInUse(node: string): number {
    return this.#keysOf(node).used;
  }

  owners(): readonly Owner[] {
    const present = this.#script.owners.filter(({ node }) => this.#nodes.has(node));
    return present.map((owner) => ({ ...owner, keys: this.publicKeys(owner.node) }));
  }

  policies({ node, link, filters }: Side): Pick<PeerConfig, "import" | "export"> {
    return policiesOf(link, node, this.domainOf(node), filters);
  }

  peerConfig(side: Side): PeerConfig {
    const { node, peer, link } = side;
    const dials = link.dials === "both" || link.dials === (link.a === node ? "a" : "b");
    return {
      node: peer,
      keys: this.publicKeys(peer),
      domain: link.anyDomain === true ? undefined : this.domainOf(peer),
      secrets: side.secrets.map((generation) => this.#secret(node, peer, generation)),
      address: dials ? peer : undefined,
      ...this.policies(side),
      limits: this.#limits(side),
      required: [],
    };
  }

  /** What crosses the wire of the secrets of a pair. */
  secretIds(node: string, peer: string): string[] {
    const generations = this.side(node, peer)?.secrets ?? [0];
    return generations.map((generation) => secretId(this.#secret(node, peer, generation)));
  }

  #limits({ node, limit }: Side): PeerLimits {
    return {
      routes: limit ?? UNLIMITED,
      pathLength: this.#nodes.get(node)?.pathLength ?? 64,
      updateRoutes: 16_384,
      damping: this.#script.damping,
    };
  }

  #addSide(node: string, peer: string, link: ScriptLink): void {
    const clauses = (direction: "import" | "export"): RouteClause[] =>
      link.filters.filter((one) => one.node === node && one.direction === direction).map(({ clause }) => clause);
    const filters = { import: clauses("import"), export: clauses("export") };
    const side = { node, peer, link, configured: true, stopped: false, limit: undefined, filters, secrets: [0] };
    this.#sides.get(node)?.set(peer, side);
  }

  #keysOf(node: string): Keys {
    const keys = this.#keys.get(node);
    if (keys === undefined) throw new Error(`no node ${node}`);
    return keys;
  }

  #identity(node: string, generation: number): Identity {
    const label = `key ${generation} of ${node}`;
    const known = this.#identities.get(label);
    if (known !== undefined) return known;
    const made = signWith(new Random(this.#script.seed, label).bytes(32));
    this.#identities.set(label, made);
    return made;
  }

  #secret(a: string, b: string, generation: number): Uint8Array {
    const [low, high] = a < b ? [a, b] : [b, a];
    return createHash("sha256").update(`secret ${generation} of ${low} and ${high}, ${this.#script.seed}`).digest();
  }
}
