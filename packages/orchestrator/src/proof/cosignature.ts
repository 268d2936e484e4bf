// Cosignatures (https://c2sp.org/tlog-cosignature, ed25519 only): a witness states that a checkpoint is consistent with all that it cosigned before.
// Each is a line of the checkpoint's note beside the log's own signature, and counts only under the key of a trusted witness.

import { LARGEST, writeBase64 } from "./canonical.ts";
import { isSignature } from "./ed25519.ts";
import { ED25519, keyHash, openNote, parseKey, SIGNATURE_BYTES, type VerifierKey } from "./note.ts";
import { ProofError } from "./proof-error.ts";

/** A witness's key. It signs only checkpoints, each with a time in front. */
export interface WitnessKey {
  readonly name: string;
  /** The key's id for cosignatures (type 0x04): 8 hex digits. */
  readonly keyHash: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** A witness's cosignature of a checkpoint. */
export interface Cosignature {
  readonly key: WitnessKey;
  /** When it was made, in seconds since 1970, by the witness's clock. */
  readonly time: number;
  /** The note's line, without its newline. */
  readonly line: string;
}

const COSIGNATURE = 0x04;
const TIME_BYTES = 8;
const utf8 = new TextEncoder();

/** The bytes that a witness signs. @param text the checkpoint's, with its last newline; @param time seconds since 1970 */
export function cosignedBytes(text: string, time: number): Uint8Array {
  return utf8.encode(`cosignature/v1\ntime ${time}\n${text}`);
}

/** The note's line, without its newline. @param signature of `cosignedBytes` */
export function cosignatureLine(key: Pick<WitnessKey, "name" | "publicKey">, time: number, signature: Uint8Array) {
  const at = Buffer.alloc(TIME_BYTES);
  at.writeBigUInt64BE(BigInt(time));
  const id = Buffer.from(keyHash(key.name, key.publicKey, COSIGNATURE), "hex");
  return `— ${key.name} ${writeBase64(Buffer.concat([id, at, signature]))}`;
}

/** The note with these lines appended. */
export function cosigned(note: string, lines: Iterable<string>): string {
  return note + Array.from(lines, (line) => `${line}\n`).join("");
}

/** A node's key as a witness key. */
export function witnessKeyOf({ name, publicKey }: Pick<VerifierKey, "name" | "publicKey">): WitnessKey {
  return { name, keyHash: keyHash(name, publicKey, COSIGNATURE), publicKey };
}

/**
 * Parses a witness key: a verifier key of type 0x04, or the node's verifier key (`node.pub`), which is the same key.
 * @throws ProofError VERIFIER_KEY_INVALID
 */
export function parseWitnessKey(text: string): WitnessKey {
  const key = parseKey(text);
  if (key.type === COSIGNATURE || key.type === ED25519) return witnessKeyOf(key);
  throw new ProofError("VERIFIER_KEY_INVALID", `the verifier key of ${key.name} is no witness's of ed25519`);
}

/** A witness's key as text (a verifier key of type 0x04). */
export function formatWitnessKey({ name, keyHash: id, publicKey }: WitnessKey): string {
  return `${name}+${id}+${writeBase64(Buffer.concat([Uint8Array.of(COSIGNATURE), publicKey]))}`;
}

/**
 * The cosignatures of these witnesses on a note, each witness's latest. Lines of other keys are ignored.
 * @throws ProofError CHECKPOINT_INVALID where it is no note, SIGNATURE_INVALID where a cosignature of one of them is wrong
 */
export async function verifyCosignatures(note: string, keys: readonly WitnessKey[]): Promise<readonly Cosignature[]> {
  const { text, signatures } = openNote(note);
  const latest = new Map<WitnessKey, Cosignature>();
  for (const { name, keyHash: id, signature } of signatures) {
    for (const key of keys.filter((one) => one.name === name && one.keyHash === id)) {
      const time = await verifiedTime(text, signature, key);
      if (time === undefined) {
        throw new ProofError("SIGNATURE_INVALID", `the cosignature of ${name} (${id}) does not verify`);
      }
      if ((latest.get(key)?.time ?? -1) >= time) continue;
      latest.set(key, { key, time, line: cosignatureLine(key, time, signature.subarray(TIME_BYTES)) });
    }
  }
  return [...latest.values()];
}

async function verifiedTime(text: string, signature: Uint8Array, key: WitnessKey): Promise<number | undefined> {
  if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined;
  const time = Number(Buffer.from(signature.subarray(0, TIME_BYTES)).readBigUInt64BE());
  if (time > LARGEST) return undefined;
  const valid = await isSignature(signature.subarray(TIME_BYTES), cosignedBytes(text, time), key.publicKey);
  return valid ? time : undefined;
}

/** The note with only the signature lines of these names: a checkpoint as its log signed it. */
export function signedBy(note: string, names: readonly string[]): string {
  const end = note.lastIndexOf("\n\n") + 2;
  const lines = note
    .slice(end)
    .split("\n")
    .filter((line) => names.some((name) => line.startsWith(`— ${name} `)));
  return note.slice(0, end) + lines.map((line) => `${line}\n`).join("");
}
