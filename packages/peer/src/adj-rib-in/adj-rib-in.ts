// Adj-RIB-In (RFC 4271 §3.2): the paths that one peer has announced and not withdrawn, filtered and stale ones
// included; one path for each name. Each peer has its own, so that no peer can change another's paths.

import type { ChunkCache } from "../origin/chunk-cache.ts";
import type { Attributes, Path, ReceivedAttributes } from "../rib/path.ts";
import type { RouteName } from "../wire/names.ts";
import type { Words } from "../wire/words.ts";

/** A route's budget for its name and its share of path and tags; larger ones count as several routes. A path of about a hundred domains fits. */
const BYTES_A_ROUTE = 2048;
/** Below this, bytes do not count: where few routes are allowed, one of them may still have a long path. */
const FREE_BYTES = 16_384;
/** The overhead of a string in bytes, besides its characters: two bytes each for a name, which need not be ASCII, otherwise one. */
const AROUND_A_TEXT = 64;

export class AdjRibIn {
  readonly #paths = new Map<RouteName, Path>();
  readonly #chunks: ChunkCache;
  #bytes = 0;
  #stale = 0;

  constructor(chunks: ChunkCache) {
    this.#chunks = chunks;
  }

  get size(): number {
    return this.#paths.size;
  }

  /**
   * What is compared with the peer's limit of routes: the number of routes, or, if their names, paths and tags are long,
   * their bytes in units of BYTES_A_ROUTE. Otherwise routes of 70 kB each (a path and 32 tags) would count as one.
   */
  get load(): number {
    return this.#loadOf(this.#bytes, this.#paths.size);
  }

  /** The load after `put` of such a path in the place of `replaced`. */
  loadWith(name: RouteName, received: ReceivedAttributes, replaced: Path | undefined): number {
    let bytes = this.#bytes;
    if (received.uses === 0) bytes += bytesOf(received);
    if (replaced === undefined) return this.#loadOf(bytes + bytesOfName(name), this.#paths.size + 1);
    if (replaced.received !== received && replaced.received.uses === 1) bytes -= bytesOf(replaced.received);
    return this.#loadOf(bytes, this.#paths.size);
  }

  get stale(): number {
    return this.#stale;
  }

  get(name: RouteName): Path | undefined {
    return this.#paths.get(name);
  }

  /** Paths may be replaced or removed during the iteration. */
  values(): MapIterator<Path> {
    return this.#paths.values();
  }

  /** @param replaced the present path of that name, as `get` returns it */
  put(path: Path, replaced: Path | undefined): void {
    const { chunk } = path.received;
    if (replaced === undefined) this.#bytes += bytesOfName(path.name);
    if (replaced?.received !== path.received) {
      this.#use(path.received);
      if (replaced !== undefined) this.#disuse(replaced.received);
    }
    if (replaced?.received.chunk !== chunk) {
      this.#chunks.retain(chunk);
      if (replaced !== undefined) this.#chunks.release(replaced.received.chunk);
    }
    if (replaced?.stale) this.#stale -= 1;
    if (path.stale) this.#stale += 1;
    this.#paths.set(path.name, path);
  }

  remove(path: Path): void {
    if (!this.#paths.delete(path.name)) return;
    if (path.stale) this.#stale -= 1;
    this.#bytes -= bytesOfName(path.name);
    this.#disuse(path.received);
    this.#chunks.release(path.received.chunk);
  }

  #loadOf(bytes: number, paths: number): number {
    return bytes <= FREE_BYTES ? paths : Math.max(paths, Math.ceil(bytes / BYTES_A_ROUTE));
  }

  #use(attributes: ReceivedAttributes): void {
    if (attributes.uses === 0) this.#bytes += bytesOf(attributes);
    attributes.uses += 1;
  }

  #disuse(attributes: ReceivedAttributes): void {
    attributes.uses -= 1;
    if (attributes.uses === 0) this.#bytes -= bytesOf(attributes);
  }

  markStale(): void {
    for (const path of this.#paths.values()) setStale(path, true);
    this.#stale = this.#paths.size;
  }

  /** The path was announced again, unchanged: it is no longer stale. */
  refresh(path: Path): void {
    if (!path.stale) return;
    setStale(path, false);
    this.#stale -= 1;
  }
}

function setStale(path: { stale: boolean }, stale: boolean): void {
  path.stale = stale;
}

const bytesOfName = (name: RouteName): number => AROUND_A_TEXT + 2 * name.length;

/** The bytes of the attributes without their chunk, whose size shed-leaves.ts bounds by its routes. */
const bytesOf = ({ path, tags }: Attributes): number => bytesOfText(path) + bytesOfText(tags);

const bytesOfText = (text: Words): number => (text === "" ? 0 : AROUND_A_TEXT + text.length);
