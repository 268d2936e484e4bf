// The pin of a certificate: what its server is told to be its own by, where no authority vouches for it. It is of the whole certificate,
// so that another one is refused even if the same key made it.

import { createHash, X509Certificate } from "node:crypto";
import { FaultError, fault } from "../../fault/fault.ts";

const PIN = /^sha256-[A-Za-z0-9_-]{43}$/;

/**
 * `sha256-` and the SHA-256 of the certificate's DER in base64url. Of a chain it is the first, which is the server's.
 * @throws FaultError TLS_INVALID
 */
export function certificatePin(pem: string): string {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    throw new FaultError(fault("TLS_INVALID", "TLS: no certificate in PEM form, and so nothing to pin"));
  }
  return pinOf(certificate.raw);
}

/** The pin of a certificate. */
export function pinOf(der: Uint8Array): string {
  return `sha256-${createHash("sha256").update(der).digest("base64url")}`;
}

/** Whether a text is a certificate pin. */
export function isPin(text: string): boolean {
  return PIN.test(text);
}
