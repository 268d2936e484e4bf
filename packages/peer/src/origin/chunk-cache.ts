// One object for one chunk, however many peers announce it: read, hashed and verified once, its strings shared. Whoever keeps a
// chunk says so (`retain`, `release`); what nobody keeps stays for a while, in bounds. Remembers nothing that time could change.

import type { OriginClaim } from "../wire/message.ts";
import { type Assessment, assessChunk } from "./assess.ts";
import type { Chunk, OriginVerdict } from "./chunk.ts";
import { type Item, isLeaf } from "./merkle.ts";
import { type ChunkReading, type Disclosure, readChunk } from "./read-chunk.ts";

class InternedChunk implements Chunk {
  uses = 0;
  /** Whether the signature is right, once it was asked. */
  valid: boolean | undefined;
  /** Another one under the same signature: more of what that claim tells, or a claim that somebody put it under. */
  next: InternedChunk | undefined;

  constructor(
    readonly claim: OriginClaim,
    readonly root: string,
    readonly leaves: readonly Item[],
  ) {}

  /** What is verified of the one is verified of the other. */
  isOf(claim: OriginClaim, root: string): boolean {
    return this.root === root && sameClaim(this.claim, claim);
  }
}

/** Leaves of chunks that nobody keeps: 64 chunks, some 3 MB. Enough for a session that goes and comes back. */
const IDLE_LEAVES = 16_384;
/** Chunks of one signature: more are read, and not kept, so that nobody can make searches long. */
const MAX_VARIANTS = 16;
/** Origins whose ids and keys are shared by the claims to come. */
const MAX_ORIGINS = 1024;

export class ChunkCache {
  private readonly bySignature = new Map<string, InternedChunk>();
  /** What nobody keeps; the one longest so stands first. */
  private readonly idle = new Set<InternedChunk>();
  private idleLeaves = 0;
  /** By its key, a claim of each origin. */
  private readonly origins = new Map<string, OriginClaim>();

  constructor(private readonly mostIdleLeaves = IDLE_LEAVES) {}

  /** The announcement's chunk: the one that is here already, if it tells the same; else a new one, sharing what is the same. */
  intern(announcement: Disclosure): ChunkReading {
    const { origin, leaves } = announcement;
    for (const known of this.under(origin.signature)) {
      if (sameLeaves(known.leaves, leaves) && sameClaim(known.claim, origin)) return { ok: true, chunk: known };
    }
    const reading = readChunk(announcement);
    if (!reading.ok) return reading;
    const { root } = reading.chunk;
    const others = [...this.under(origin.signature)];
    const siblings = others.filter((known) => known.isOf(origin, root));
    // The one that tells most of it: to look into all of them would cost a peer little, and us much.
    const shared = siblings.length === 0 ? leaves : shareLeaves(leaves, siblings.reduce(tellsMore).leaves);
    const chunk = new InternedChunk(siblings[0]?.claim ?? this.shareWords(origin), root, shared);
    if (others.length < MAX_VARIANTS) this.add(chunk, others.at(-1));
    return { ok: true, chunk };
  }

  /** assessChunk, with the signature verified once. Of what is rejected nothing is remembered that nobody keeps. */
  assess(chunk: Chunk, context: Assessment): OriginVerdict {
    if (!(chunk instanceof InternedChunk)) return assessChunk(chunk, context);
    const verify: Assessment["verify"] = (...signature) => {
      chunk.valid ??= this.siblingVerdict(chunk) ?? context.verify(...signature);
      return chunk.valid;
    };
    const verdict = assessChunk(chunk, { ...context, verify });
    if (verdict.kind === "rejected" && chunk.uses === 0) this.forget(chunk);
    return verdict;
  }

  /** Chunks that are not of this cache, such as our own, are kept by whoever has them. */
  retain(chunk: Chunk, times = 1): void {
    if (!(chunk instanceof InternedChunk)) return;
    if (chunk.uses === 0 && this.idle.delete(chunk)) this.idleLeaves -= chunk.leaves.length;
    chunk.uses += times;
  }

  release(chunk: Chunk, times = 1): void {
    if (!(chunk instanceof InternedChunk)) return;
    chunk.uses -= times;
    if (chunk.uses < 0) throw new Error("a chunk was released more often than retained");
    if (chunk.uses === 0) this.rest(chunk);
  }

  /** Chunks that are here, and how many of them nobody keeps. */
  get counts(): { readonly chunks: number; readonly idle: number } {
    let chunks = 0;
    for (const signature of this.bySignature.keys()) for (const _ of this.under(signature)) chunks += 1;
    return { chunks, idle: this.idle.size };
  }

  private *under(signature: string): Generator<InternedChunk> {
    for (let chunk = this.bySignature.get(signature); chunk !== undefined; chunk = chunk.next) yield chunk;
  }

  private siblingVerdict(chunk: InternedChunk): boolean | undefined {
    for (const known of this.under(chunk.claim.signature)) {
      if (known.valid !== undefined && known.isOf(chunk.claim, chunk.root)) return known.valid;
    }
    return undefined;
  }

  private add(chunk: InternedChunk, last: InternedChunk | undefined): void {
    if (last === undefined) this.bySignature.set(chunk.claim.signature, chunk);
    else last.next = chunk;
    this.rest(chunk);
  }

  /** Ids and keys are the same in all claims of an origin, and would each be another string in each that is parsed. */
  private shareWords(origin: OriginClaim): OriginClaim {
    const known = this.origins.get(origin.key);
    const same = known?.node === origin.node && known.domain === origin.domain;
    const { node, domain, key } = same ? known : origin;
    const { epoch, expires, size, signature } = origin;
    const claim = { node, domain, key, epoch, expires, size, signature };
    if (same) return claim;
    if (this.origins.size >= MAX_ORIGINS) this.origins.clear();
    this.origins.set(key, claim);
    return claim;
  }

  private rest(chunk: InternedChunk): void {
    this.idle.add(chunk);
    this.idleLeaves += chunk.leaves.length;
    // A quarter at once: a walk from the front of a set goes over what was deleted there.
    if (this.idleLeaves <= this.mostIdleLeaves * 1.25) return;
    for (const oldest of this.idle) {
      if (this.idleLeaves <= this.mostIdleLeaves || oldest === chunk) return;
      this.forget(oldest);
    }
  }

  private forget(chunk: InternedChunk): void {
    if (this.idle.delete(chunk)) this.idleLeaves -= chunk.leaves.length;
    const { signature } = chunk.claim;
    const first = this.bySignature.get(signature);
    if (first === chunk) {
      if (chunk.next === undefined) this.bySignature.delete(signature);
      else this.bySignature.set(signature, chunk.next);
    }
    for (const known of this.under(signature)) if (known.next === chunk) known.next = chunk.next;
    chunk.next = undefined;
  }
}

/**
 * Another part of what is known: leaves that are here already are used again, and their strings. Both are in the order of
 * their names, and are walked once: an update may have thousands of parts of one chunk.
 */
function shareLeaves(leaves: readonly Item[], known: readonly Item[]): readonly Item[] {
  let at = 0;
  return leaves.map((item) => {
    if (!isLeaf(item)) return item;
    for (let other = known[at]; other !== undefined; other = known[++at]) {
      if (!isLeaf(other) || other[0] < item[0]) continue;
      return sameItem(item, other) ? other : item;
    }
    return item;
  });
}

const tellsMore = (a: InternedChunk, b: InternedChunk): InternedChunk => (b.leaves.length > a.leaves.length ? b : a);

function sameClaim(a: OriginClaim, b: OriginClaim): boolean {
  if (a === b) return true;
  return (
    a.signature === b.signature &&
    a.key === b.key &&
    a.node === b.node &&
    a.domain === b.domain &&
    a.epoch === b.epoch &&
    a.expires === b.expires &&
    a.size === b.size
  );
}

/** One form for one set of leaves (merkle.ts): what is equal reads as equal, and needs no hashing. */
function sameLeaves(a: readonly Item[], b: readonly Item[]): boolean {
  return a.length === b.length && a.every((item, at) => sameItem(item, b[at] as Item));
}

const sameItem = (a: Item, b: Item): boolean => a[0] === b[0] && a[1] === b[1] && a[2] === b[2];
