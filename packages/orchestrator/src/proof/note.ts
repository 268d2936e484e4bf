// Signed notes and verifier keys as in https://c2sp.org/signed-note, with ed25519 only. Only the text that `verifyNote`
// returns may be trusted.

import { hash } from "node:crypto";
import { readBase64, writeBase64 } from "./canonical.ts";
import { isSignature } from "./ed25519.ts";
import { ProofError } from "./proof-error.ts";

/** Signs with one key. `name` is the key's name, such as `capstan/n-7f3a1b2c`. */
export interface Signer {
  readonly name: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The ed25519 signature (RFC 8032), 64 bytes. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

/** A key that verifies notes. */
export interface VerifierKey {
  readonly name: string;
  /** The key's id: 8 hex digits. */
  readonly hash: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

export interface NoteSignature {
  readonly name: string;
  /** 8 hex digits. */
  readonly keyHash: string;
  readonly signature: Uint8Array;
}

export interface Note {
  /** The signed text, with its last newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** The signature type of an ed25519 key. */
export const ED25519 = 0x01;
const KEY_BYTES = 32;
/** The length of a key's hash, which precedes each signature. */
const HASH_BYTES = 4;
export const SIGNATURE_BYTES = 64;
// The specification asks for 16 at least; the largest that it knows of are 5 kB each.
export const MOST_SIGNATURES = 32;
const LONGEST_NOTE = 256 * 1024;

// A key's name: no Unicode spaces, no plus, and (as everywhere in a note) no control characters.
const NAME = /^[^\p{White_Space}+]+$/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a note must not contain
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;
const utf8 = new TextEncoder();

/** Parses a note, without verifying any signature. @throws ProofError CHECKPOINT_INVALID */
export function openNote(note: string): Note {
  if (note.length > LONGEST_NOTE) throw malformed("is too long");
  if (!note.isWellFormed() || CONTROL.test(note)) throw malformed("has characters that a note must not have");
  const end = note.lastIndexOf("\n\n");
  if (end < 0 || !note.endsWith("\n")) throw malformed("is not text, an empty line, and lines of signatures");
  const lines = note.slice(end + 2).split("\n");
  lines.pop(); // after the last newline
  if (lines.length === 0) throw malformed("is not signed");
  if (lines.length > MOST_SIGNATURES) throw malformed(`has more than ${MOST_SIGNATURES} signatures`);
  return { text: note.slice(0, end + 1), signatures: lines.map(signatureOf) };
}

function signatureOf(line: string): NoteSignature {
  const [dash, name = "", base64 = "", ...more] = line.split(" ");
  const bytes = readBase64(base64);
  if (dash !== "—" || !NAME.test(name) || more.length > 0 || bytes === undefined || bytes.length <= HASH_BYTES) {
    throw malformed("has a line that is no signature");
  }
  return { name, keyHash: hex(bytes.subarray(0, HASH_BYTES)), signature: bytes.subarray(HASH_BYTES) };
}

/**
 * The text of a note that a trusted key signed, and the keys that signed it. Signatures of unknown keys are ignored.
 * @throws ProofError SIGNATURE_INVALID where none of the keys signed it, or the signature of one of them is wrong
 */
export async function verifyNote<Key extends VerifierKey>(
  note: string,
  keys: readonly Key[],
): Promise<{ readonly text: string; readonly signers: readonly Key[] }> {
  const { text, signatures } = openNote(note);
  const bytes = utf8.encode(text);
  const signers: Key[] = [];
  for (const { name, keyHash, signature } of signatures) {
    for (const key of keys.filter((one) => one.name === name && one.hash === keyHash)) {
      const valid = signature.length === SIGNATURE_BYTES && (await isSignature(signature, bytes, key.publicKey));
      if (!valid) throw new ProofError("SIGNATURE_INVALID", `the signature of ${name} (${keyHash}) does not verify`);
      signers.push(key);
    }
  }
  if (signers.length > 0) return { text, signers };
  const by = signatures.map(({ name, keyHash }) => `${name} (${keyHash})`).join(", ");
  const trusted = keys.map(({ name, hash: id }) => `${name} (${id})`).join(", ") || "none";
  throw new ProofError("SIGNATURE_INVALID", `it is signed by ${by}, and none of these is trusted; trusted: ${trusted}`);
}

/** The signed note. @throws Error where the text must not be in a note: a bug of the caller */
export async function signNote(text: string, signer: Signer): Promise<string> {
  if (!text.endsWith("\n") || !text.isWellFormed() || CONTROL.test(text)) throw new Error("no note may have this text");
  const { name, publicKey } = signer;
  if (!NAME.test(name)) throw new Error(`"${name}" is no name of a key`);
  const id = Buffer.from(keyHash(name, publicKey), "hex");
  const signature = await signer.sign(utf8.encode(text));
  return `${text}\n— ${name} ${writeBase64(Buffer.concat([id, signature]))}\n`;
}

/** A verifier key's text, `name+hash+base64`. @throws ProofError VERIFIER_KEY_INVALID */
export function parseVerifierKey(text: string): VerifierKey {
  const { type, name, hash: id, publicKey } = parseKey(text);
  if (type !== ED25519) throw new ProofError("VERIFIER_KEY_INVALID", `the verifier key of ${name} is not of ed25519`);
  return { name, hash: id, publicKey };
}

/** A verifier key of any signature type. @throws ProofError VERIFIER_KEY_INVALID */
export function parseKey(text: string): VerifierKey & { readonly type: number } {
  const [, name, id, base64] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{44})$/.exec(text) ?? [];
  const bytes = readBase64(base64 ?? "");
  if (name === undefined || !NAME.test(name) || !name.isWellFormed() || CONTROL.test(name) || bytes === undefined) {
    throw new ProofError("VERIFIER_KEY_INVALID", "the text is no verifier key: it is not name+hash+base64");
  }
  const [type = 0] = bytes;
  const publicKey = bytes.subarray(1);
  if (publicKey.length !== KEY_BYTES) {
    throw new ProofError("VERIFIER_KEY_INVALID", `the verifier key of ${name} is not of ed25519`);
  }
  if (keyHash(name, publicKey, type) !== id) {
    throw new ProofError("VERIFIER_KEY_INVALID", `the verifier key of ${name} has been altered: its hash does not fit`);
  }
  return { type, name, hash: id, publicKey };
}

/** The text of a verifier key: `name+hash+base64`. */
export function formatVerifierKey({ name, publicKey }: Pick<VerifierKey, "name" | "publicKey">): string {
  return `${name}+${keyHash(name, publicKey)}+${writeBase64(Buffer.concat([Uint8Array.of(ED25519), publicKey]))}`;
}

/** The verifier key of a signer. */
export function verifierOf({ name, publicKey }: Pick<Signer, "name" | "publicKey">): VerifierKey {
  return { name, hash: keyHash(name, publicKey), publicKey };
}

/** The first four bytes of SHA-256(name || 0x0A || signature type || public key), in hex. */
export function keyHash(name: string, publicKey: Uint8Array, type = ED25519): string {
  const bytes = Buffer.concat([utf8.encode(`${name}\n`), Uint8Array.of(type), publicKey]);
  return hash("sha256", bytes, "hex").slice(0, 2 * HASH_BYTES);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function malformed(why: string): ProofError {
  return new ProofError("CHECKPOINT_INVALID", `the signed note ${why}`);
}
