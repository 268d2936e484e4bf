// The prover of one pair of nodes: it has their secrets, our key and the peer's pinned keys. Knowing the secret keeps strangers out; having
// the pinned key says which of those who know the secret the other side is.

import { createHmac, timingSafeEqual } from "node:crypto";
import { BYTES_32 } from "../wire/names.ts";
import { verifySignature } from "./identity.ts";
import type { Exchange, ProofValues, Prover, Role } from "./prover.ts";
import { signedBytes, transcript } from "./transcript.ts";

export interface ProverConfig {
  /** 32 random bytes or more each; one, or the one to prefer and the other while they are rotated. */
  readonly secrets: readonly Uint8Array[];
  /** By our identity's key. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  /** The peer's pinned keys, base64url: the current one, and the next while it is rotated. */
  readonly keys: readonly string[];
  /** A value of the channel that only its two ends know, such as a TLS exporter's (RFC 9266). Absent: proofs are not bound to a channel. */
  readonly channelBinding?: string;
}

/** The least length, in bytes. Secrets' ids cross the wire before anything is proved: one that a person made up could be guessed from its id. */
const SECRET_BYTES = 32;
const ID_LABEL = "capstan-peer/1 secret id";

/** A secret's id on the wire. It tells nothing of the secret, provided that is random. */
export function secretId(secret: Uint8Array): string {
  return createHmac("sha256", secret).update(ID_LABEL).digest("base64url");
}

/** Makes the prover of one pair of nodes. */
export function createProver(config: ProverConfig): Prover {
  const { sign, keys, channelBinding = "" } = config;
  if (config.secrets.length < 1 || config.secrets.length > 2) {
    throw new Error(`a pair has one secret, or two while they are rotated; ${config.secrets.length} were given`);
  }
  for (const secret of config.secrets) {
    if (secret.length < SECRET_BYTES) {
      throw new Error(`a pair's secret has ${secret.length} bytes; give it ${SECRET_BYTES} random ones, or more`);
    }
  }
  const secrets = new Map(config.secrets.map((secret) => [secretId(secret), Uint8Array.from(secret)]));

  return {
    secrets: [...secrets.keys()],

    prove(role, exchange, id, diallers) {
      const secret = secrets.get(id);
      if (secret === undefined) throw new Error("asked to prove by a secret that is not of this pair");
      const proved = transcript(role, exchange, channelBinding, diallers);
      return {
        secret: id,
        mac: createHmac("sha256", secret).update(proved).digest("base64url"),
        signature: Buffer.from(sign(signedBytes(proved))).toString("base64url"),
      };
    },

    verify(role, exchange, proof, diallers) {
      try {
        return holds(role, exchange, proof, diallers);
      } catch {
        return false; // offers that are not JSON: read-message.ts lets none of them in
      }
    },
  };

  function holds(role: Role, exchange: Exchange, proof: ProofValues, diallers: ProofValues | undefined): boolean {
    const secret = secrets.get(proof.secret);
    // The acceptor must have taken this secret from the dialler's list: otherwise a third party could choose another of ours.
    if (secret === undefined || exchange.acceptor.secrets[0] !== proof.secret) return false;
    if (!exchange.dialler.secrets.includes(proof.secret) || !BYTES_32.test(proof.mac)) return false;
    const key = exchange[role].key;
    if (!keys.includes(key)) return false;
    const proved = transcript(role, exchange, channelBinding, diallers);
    const mac = createHmac("sha256", secret).update(proved).digest();
    if (!timingSafeEqual(mac, Buffer.from(proof.mac, "base64url"))) return false;
    return verifySignature(key, signedBytes(proved), proof.signature);
  }
}
