// Routes and an origin that signs them, for the tests of this folder.

import { signWith } from "../proof/identity.ts";
import type { Leaf } from "../wire/message.ts";

export const DIGEST = "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo";

export const routesOf = (count: number): readonly Leaf[] =>
  Array.from(
    { length: count },
    (_, at): Leaf => [`action:report.${String(at).padStart(5, "0")}`, at % 3 === 0 ? "" : DIGEST],
  );

export const identity = signWith(new Uint8Array(32).fill(1));
export const stranger = signWith(new Uint8Array(32).fill(2));

export const origin = { node: "n-tokyo", domain: "japan", key: identity.publicKey, epoch: 7, expires: 10_000 };

/** A part of the leaves, told by two numbers that a property test can shrink. */
export function someOf(leaves: readonly Leaf[], salt: number, share: number): Set<string> {
  const chosen = leaves.filter((_, at) => {
    const mixed = Math.imul((salt ^ (at * 0x9e3779b1)) | 1, 0x85ebca6b);
    return (Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35) >>> 0) / 2 ** 32 < share;
  });
  return new Set(chosen.map(([name]) => name));
}
