// The name of a log, made with it: what its checkpoints are of, so that those of one log say nothing of another.

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; // Crockford base32
const CHARACTERS = 26;

/** `l-` and 130 random bits. */
export function makeLogId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(CHARACTERS));
  return `l-${Array.from(bytes, (byte) => ALPHABET[byte % 32]).join("")}`;
}
