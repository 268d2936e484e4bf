// The certificate and the key that a node listens with: read and checked at the start, when the operator is there. An error is a fault that names
// the file; something odd is logged as a warning.

import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { FaultError, fault } from "../fault/fault.ts";
import type { Logger } from "../plugin/plugin.ts";

/** Paths of PEM files. */
export interface TlsFiles {
  /** The certificate, followed by its chain. */
  readonly cert: string;
  readonly key: string;
}

/** As Bun.serve takes it. */
export interface TlsTexts {
  readonly cert: string;
  readonly key: string;
}

const EVERYBODY = 0o007;
/** A certificate that expires sooner is logged as a warning. */
const SOON_MS = 14 * 86_400_000;

/**
 * Both or neither of the two paths. @throws FaultError TLS_INVALID where there is one alone
 */
export function tlsFiles(cert: string | undefined, key: string | undefined): TlsFiles | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined) throw invalid("a key without a certificate; add --tls-cert");
  if (key === undefined) throw invalid("a certificate without its key; add --tls-key");
  return { cert, key };
}

/** @throws FaultError TLS_INVALID */
export function readTls(files: TlsFiles, now: number, logger: Pick<Logger, "warn"> | undefined): TlsTexts {
  const cert = read(files.cert, "certificate");
  const key = read(files.key, "key");
  const certificate = parsed(files.cert, "no certificate in PEM form", () => new X509Certificate(cert));
  const secret = parsed(files.key, "no private key in PEM form without a passphrase", () => createPrivateKey(key));
  if (!belongs(certificate, secret)) throw invalid(`${files.key} is not the key of the certificate ${files.cert}`);
  const from = Date.parse(certificate.validFrom);
  const until = Date.parse(certificate.validTo);
  const warn = (text: string): void => logger?.warn({ certificate: files.cert }, text);
  if (until <= now) warn(`the certificate expired at ${new Date(until).toISOString()}: clients will refuse it`);
  else if (until - now < SOON_MS) warn(`the certificate expires at ${new Date(until).toISOString()}`);
  if (from > now) warn(`the certificate is not valid before ${new Date(from).toISOString()}: clients will refuse it`);
  const mode = statSync(files.key).mode;
  if ((mode & EVERYBODY) !== 0) {
    const shown = `0${(mode & 0o777).toString(8)}`;
    logger?.warn({ file: files.key }, `everybody on this machine may read the TLS key (mode ${shown}); chmod 600 it`);
  }
  return { cert, key };
}

function belongs(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return certificate.checkPrivateKey(key);
  } catch {
    return false;
  }
}

function read(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    const { code } = thrown as { code?: string };
    const why = code === "ENOENT" ? "there is no such file" : code === "EACCES" ? "it may not be read" : String(code);
    throw invalid(`the ${what} ${path}: ${why}`);
  }
}

function parsed<T>(path: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch {
    // The parser's own text is not shown: it may repeat the key.
    throw invalid(`${path} holds ${what}`);
  }
}

function invalid(why: string): FaultError {
  return new FaultError(fault("TLS_INVALID", `TLS: ${why}`));
}
