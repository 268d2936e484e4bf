// What a credential is known by: its SHA-256, with the algorithm in the name. The command line makes it too, and so it loads nothing.

/** `sha256-…` of a secret: 32 random bytes, as text. */
export function credentialDigest(secret: string): string {
  return `sha256-${Bun.SHA256.hash(secret, "base64url")}`;
}
