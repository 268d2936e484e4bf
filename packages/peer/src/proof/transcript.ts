// The bytes that a proof covers: both offers, the role of the prover, and the channel. Each part is preceded by its length, so that no two
// exchanges have the same bytes. docs/peering-wire.md specifies them.

import { hash } from "node:crypto";
import canonicalize from "canonicalize";
import type { Exchange, ProofValues, Role } from "./prover.ts";

/** To be changed whenever the bytes below change, so that a proof of one form is never valid in another. */
const LABEL = "capstan-peer/1";
/** First line of what is signed. The same key signs chunks and checkpoints: their first lines differ, so that none of them is a proof. */
const SIGNATURE_LABEL = "capstan peer proof/1\n";

/** The bytes of one side's proof. The acceptor proves last, and covers the dialler's proof: both belong to this exchange, in this order. */
export function transcript(
  role: Role,
  exchange: Exchange,
  channelBinding: string,
  diallers: ProofValues | undefined,
): Uint8Array {
  const { secret, mac, signature } = diallers ?? { secret: "", mac: "", signature: "" };
  const parts = [
    LABEL,
    role,
    canonical(exchange.dialler),
    canonical(exchange.acceptor),
    channelBinding,
    ...(role === "acceptor" ? [secret, mac, signature] : []),
  ];
  return Buffer.concat(parts.flatMap((part) => behindItsLength(Buffer.from(part, "utf8"))));
}

export function signedBytes(proved: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(SIGNATURE_LABEL, "utf8"), hash("sha256", proved, "buffer")]);
}

/** RFC 8785: members in order, numbers and strings in one form. Throws on what JSON cannot say; read-message.ts lets none in. */
function canonical(value: unknown): string {
  return canonicalize(value) ?? "";
}

function behindItsLength(part: Buffer): readonly Buffer[] {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(part.length);
  return [length, part];
}
