// What is proved: every byte of both offers, who says it, and over which channel. Each part stands behind its length, so that
// no two exchanges have the same bytes. docs/peering-wire.md gives them to whoever writes another implementation.

import { hash } from "node:crypto";
import canonicalize from "canonicalize";
import type { Exchange, ProofValues, Role } from "./prover.ts";

/** Changes with the bytes below: a proof of one form is none of another. */
const LABEL = "capstan-peer/1";
/** The node's key signs origins' chunks and checkpoints as well: nothing signed for one of them is a proof. */
const SIGNATURE_LABEL = "capstan peer proof/1\n";

/** The acceptor proves last, and so over the dialler's proof too: both are of this one exchange, in this order. */
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
