// The id of a log, made together with it. Its checkpoints name it, so that a checkpoint of one log cannot be taken for another's.

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; // Crockford base32
const CHARACTERS = 26;

/** `l-` and 130 random bits. */
export function makeLogId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(CHARACTERS));
  return `l-${Array.from(bytes, (byte) => ALPHABET[byte % 32]).join("")}`;
}
