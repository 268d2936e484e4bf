// The prover of one pair: its secrets, our key and the peer's pinned ones. That the other side has the pair's secret keeps
// strangers out; that it has the pinned key says which of those who know the secret it is.

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
  /** What both ends know of the channel alone, such as a TLS exporter's value (RFC 9266). Not given: nothing binds it. */
  readonly channelBinding?: string;
}

/** Secrets that people think up can be found by trying: their ids cross the wire before anything is proved. */
const SECRET_BYTES = 32;
const ID_LABEL = "capstan-peer/1 secret id";

/** What a secret is called on the wire: it tells nothing of the secret, as long as that is random. */
export function secretId(secret: Uint8Array): string {
  return createHmac("sha256", secret).update(ID_LABEL).digest("base64url");
}

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
    // The acceptor took this one of those that the dialler offered. Another one of ours would be somebody's choice for us.
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
