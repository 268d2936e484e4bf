// What a session asks of the keeper of the pair's secrets and the node's key. Neither is ever in a session, a message, a reason or a
// trace.

import type { Open } from "../wire/message.ts";

export type Role = "dialler" | "acceptor";

/** Both offers, as they crossed the wire, and what binds them to their channel (proof/transcript.ts). */
export interface Exchange {
  readonly dialler: Open;
  readonly acceptor: Open;
}

export interface ProofValues {
  readonly secret: string;
  readonly mac: string;
  readonly signature: string;
}

/** Proves who we are, and verifies who the other side is. */
export interface Prover {
  /** Ids of the secrets that we have for this peer, the one to prefer first. Never the secrets. */
  readonly secrets: readonly string[];
  /** Our proof in that role, made with the secret of that id. The acceptor's proof also covers the dialler's. */
  prove(role: Role, exchange: Exchange, secret: string, diallers?: ProofValues): ProofValues;
  /** Whether the other side's proof in its role is right: secret, identity key and every byte of both offers. */
  verify(role: Role, exchange: Exchange, proof: ProofValues, diallers?: ProofValues): boolean;
}
