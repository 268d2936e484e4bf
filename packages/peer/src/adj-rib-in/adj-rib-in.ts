// Adj-RIB-In (RFC 4271 §3.2): what one peer has announced and not withdrawn, filtered paths included, and which of it
// is stale. A name has one path in it; only what is done here changes it, so that no peer can touch another's.

import type { ChunkCache } from "../origin/chunk-cache.ts";
import type { Attributes, Path, ReceivedAttributes } from "../rib/path.ts";
import type { RouteName } from "../wire/names.ts";
import type { Words } from "../wire/words.ts";

/** For its name, and its share of path and tags: what has more costs as much as several. A hundred domains by themselves. */
const BYTES_A_ROUTE = 2048;
/** So much is never too much: where few routes are allowed, one of them may well have a long path. */
const FREE_BYTES = 16_384;
/** A string, beside its characters; a name, which need not be ASCII, has two bytes a character. */
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
   * What limits are held against: routes, or where paths, tags or names are so long that they cost more than as many
   * routes should, their bytes. A path and 32 tags a route would else be 70 kB each.
   */
  get load(): number {
    return this.#loadOf(this.#bytes, this.#paths.size);
  }

  /** The load, if such a path came in the place of `replaced`. */
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

  /** Sound while it is walked and paths are replaced or removed. */
  values(): MapIterator<Path> {
    return this.#paths.values();
  }

  /** In the place of `replaced`, which is what `get` gives of its name. */
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

  /** It was announced again as it was. */
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

/** Of what cannot change while it is here; its chunk is bounded by its routes (shed-leaves.ts). */
const bytesOf = ({ path, tags }: Attributes): number => bytesOfText(path) + bytesOfText(tags);

const bytesOfText = (text: Words): number => (text === "" ? 0 : AROUND_A_TEXT + text.length);
