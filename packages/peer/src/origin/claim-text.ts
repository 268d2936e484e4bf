// What an origin's signature is over. A text, so that it can be looked at and written by hand; none of its fields can contain
// a line's end, and the first line is in nothing else that a node signs.

import type { OriginClaim } from "../wire/message.ts";

export type ClaimWithoutSignature = Omit<OriginClaim, "signature">;

export function claimBytes(claim: ClaimWithoutSignature, root: string): Uint8Array {
  const { node, domain, key, epoch, expires, size } = claim;
  return Buffer.from(`capstan route origin/1\n${node}\n${domain}\n${key}\n${epoch}\n${expires}\n${size}\n${root}\n`);
}
