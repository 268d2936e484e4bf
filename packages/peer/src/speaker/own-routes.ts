// The routes that this node originates: leaves, signed in chunks. At half of their lifetime all are signed anew, so that they do not
// expire at others while the node is up. All at once, so that chunks that changes have broken up become whole again.

import type { Chunk } from "../origin/chunk.ts";
import { signChunks } from "../origin/sign.ts";
import { type Leaf, REPEATABLE } from "../wire/message.ts";
import { asLine, BYTES_32, ROUTE_NAME, type RouteName } from "../wire/names.ts";
import type { At, SpeakerConfig } from "./speaker-config.ts";

interface Change {
  /** Of leaves that are new, or whose digest or promise changed. */
  readonly chunks: readonly Chunk[];
  /** Names that are no longer offered. */
  readonly withdraw: readonly RouteName[];
  /** Why leaves are not offered: peers would refuse the whole chunk that has one. */
  readonly refused: readonly string[];
}

export class OwnRoutes {
  readonly #config: SpeakerConfig;
  readonly #leaves = new Map<RouteName, Leaf>();
  #renewAt: number | undefined;
  /** How far the wall clock was ahead of the monotonic one when everything was signed, in seconds. */
  #ahead = 0;

  constructor(config: SpeakerConfig) {
    this.#config = config;
  }

  /** As in an update (RFC 4271 §4.3): a name in both lists counts as announced, and of two announcements the last counts. */
  change(announce: readonly Leaf[], withdraw: readonly RouteName[], at: At): Change {
    const refused: string[] = [];
    const announced = new Map<RouteName, Leaf>();
    for (const leaf of announce) {
      const problem = whyNotOffered(leaf);
      if (problem === undefined) announced.set(leaf[0], leaf);
      else refused.push(problem);
    }
    const gone = withdraw.filter((name) => !announced.has(name) && this.#leaves.delete(name));
    const changed = [...announced.values()].filter((leaf) => !isSame(this.#leaves.get(leaf[0]), leaf));
    for (const leaf of changed) this.#leaves.set(leaf[0], leaf);
    return { chunks: this.#sign(changed, at), withdraw: gone, refused };
  }

  deadline(): number | undefined {
    return this.#renewAt;
  }

  /** Signs everything anew if it is time, or if the wall clock was set: then the signatures would expire too late or too early. */
  tick(at: At): readonly Chunk[] {
    if (this.#renewAt === undefined) return [];
    const wasSet = Math.abs(ahead(at) - this.#ahead) > this.#config.timing.tolerance;
    if (at.now < this.#renewAt && !wasSet) return [];
    this.#renewAt = undefined;
    return this.#sign([...this.#leaves.values()], at);
  }

  #sign(leaves: readonly Leaf[], at: At): readonly Chunk[] {
    if (leaves.length === 0) return [];
    const { node, domain, key, epoch, chunkSize, sign, timing } = this.#config;
    if (this.#renewAt === undefined) {
      this.#renewAt = at.now + (timing.lifetime * 1000) / 2;
      this.#ahead = ahead(at);
    }
    return signChunks(
      leaves,
      { node, domain, key, epoch, expires: Math.floor(at.wall) + timing.lifetime, chunkSize },
      sign,
    );
  }
}

function ahead({ now, wall }: At): number {
  return wall - now / 1000;
}

function isSame(known: Leaf | undefined, [, digest, repeatable]: Leaf): boolean {
  return known !== undefined && known[1] === digest && known[2] === repeatable;
}

function whyNotOffered(leaf: Leaf): string | undefined {
  const [name, digest, repeatable] = leaf;
  if (!ROUTE_NAME.test(name)) return `${shown(name)} is not a route's name, such as \`action:greet\``;
  if (digest !== "" && !BYTES_32.test(digest))
    return `${shown(name)} has a digest that is not 32 bytes in base64url, or ""`;
  if (leaf.length === 2 || (repeatable !== undefined && REPEATABLE.includes(repeatable))) return undefined;
  return `${shown(name)} is promised to be something else than ${REPEATABLE.join(" or ")}`;
}

const shown = (name: string): string => `"${asLine(name, 64)}"`;
