// RFC 6962 §2.1 as it is written: recursive, over lists, for proofs that the verifier had no part in making. It shares no
// code with the kernel, and is as slow as it is plain.

import { createHash } from "node:crypto";

export type Bytes = Uint8Array;

const HASH = (...bytes: readonly Bytes[]): Bytes => {
  const hash = createHash("sha256");
  for (const one of bytes) hash.update(one);
  return new Uint8Array(hash.digest());
};
const LEAF = Uint8Array.of(0x00);
const NODE = Uint8Array.of(0x01);

/** "the largest power of two smaller than n" */
function k(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

export const leafOf = (data: Bytes): Bytes => HASH(LEAF, data);

/** MTH(D[n]): "Given an ordered list of n inputs, the Merkle Tree Hash is defined as follows". §2.1 */
export function MTH(D: readonly Bytes[]): Bytes {
  const n = D.length;
  if (n === 0) return HASH();
  if (n === 1) return HASH(LEAF, D[0] as Bytes);
  return HASH(NODE, MTH(D.slice(0, k(n))), MTH(D.slice(k(n), n)));
}

/** PATH(m, D[n]): the audit path of the (m+1)st input. §2.1.1 */
export function PATH(m: number, D: readonly Bytes[]): Bytes[] {
  const n = D.length;
  if (n === 1) return [];
  if (m < k(n)) return [...PATH(m, D.slice(0, k(n))), MTH(D.slice(k(n), n))];
  return [...PATH(m - k(n), D.slice(k(n), n)), MTH(D.slice(0, k(n)))];
}

/** PROOF(m, D[n]): that MTH(D[0:m]) is of the beginning of D[n], 0 < m < n. §2.1.2 */
export function PROOF(m: number, D: readonly Bytes[]): Bytes[] {
  return SUBPROOF(m, D, true);
}

function SUBPROOF(m: number, D: readonly Bytes[], b: boolean): Bytes[] {
  const n = D.length;
  if (m === n) return b ? [] : [MTH(D)];
  if (m <= k(n)) return [...SUBPROOF(m, D.slice(0, k(n)), b), MTH(D.slice(k(n), n))];
  return [...SUBPROOF(m - k(n), D.slice(k(n), n), false), MTH(D.slice(0, k(n)))];
}

/** The same definitions for a log of which every entry is the same: such a tree may have any number of leaves. */
export class EvenLog {
  readonly leaf: Bytes;
  readonly #known = new Map<number, Bytes>();

  constructor(data: Bytes) {
    this.leaf = HASH(LEAF, data);
  }

  MTH(n: number): Bytes {
    if (n === 0) return HASH();
    let root = this.#known.get(n);
    if (root === undefined) {
      root = n === 1 ? this.leaf : HASH(NODE, this.MTH(k(n)), this.MTH(n - k(n)));
      this.#known.set(n, root);
    }
    return root;
  }

  PATH(m: number, n: number): Bytes[] {
    if (n === 1) return [];
    if (m < k(n)) return [...this.PATH(m, k(n)), this.MTH(n - k(n))];
    return [...this.PATH(m - k(n), n - k(n)), this.MTH(k(n))];
  }

  PROOF(m: number, n: number, b = true): Bytes[] {
    if (m === n) return b ? [] : [this.MTH(n)];
    if (m <= k(n)) return [...this.PROOF(m, k(n), b), this.MTH(n - k(n))];
    return [...this.PROOF(m - k(n), n - k(n), false), this.MTH(k(n))];
  }
}
