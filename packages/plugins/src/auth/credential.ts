// What a credential is known by: its SHA-256, with the algorithm in the name, so that a secret sent in its place by mistake is
// refused at the edge and not written down.

import { z } from "zod";

export const digestSchema = z
  .string()
  .regex(
    /^sha256-[A-Za-z0-9_-]{43}$/,
    "must be sha256- and the secret's SHA-256 in base64url; the secret itself stays yours",
  );

/** `sha256-…` of a secret: 32 random bytes, as text. */
export function credentialDigest(secret: string): string {
  return `sha256-${Bun.SHA256.hash(secret, "base64url")}`;
}
