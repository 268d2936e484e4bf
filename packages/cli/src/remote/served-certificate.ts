// The certificate that a server is served under, as it shows it to whoever connects; believed as any other request believes it.

import type { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { certificatePin, FaultError, fault, printable } from "@capstan/orchestrator/remote";
import type { Target } from "../settings/target.ts";
import { tlsOptions } from "../settings/trust.ts";

const PATIENCE_MS = 5000;

/** What a peer is told to expect there. @throws FaultError CERTIFICATE_REFUSED */
export async function servedPin(target: Target): Promise<string> {
  if (target.trust !== undefined && "pin" in target.trust) return target.trust.pin;
  return certificatePin((await servedCertificate(target)).toString());
}

async function servedCertificate({ url, trust }: Target): Promise<X509Certificate> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const { promise, resolve, reject } = Promise.withResolvers<X509Certificate>();
  // An address has no name that it could be asked by (RFC 6066 §3).
  const named = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
  const options = {
    host,
    port: Number(port || 443),
    ...named,
    ...(trust === undefined || "pin" in trust ? {} : tlsOptions(trust)),
  };
  const socket = connect(options, () => {
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) reject(new Error("it showed no certificate"));
    else resolve(certificate);
  });
  socket.setTimeout(PATIENCE_MS, () => reject(new Error("it did not answer")));
  // Also what comes after: nobody waits for it.
  socket.on("error", reject);
  try {
    return await promise;
  } catch (error) {
    const why = printable(error instanceof Error ? error.message : String(error));
    const text = `${printable(url)} did not show a certificate that is known to be its own: ${why}`;
    throw new FaultError(fault("CERTIFICATE_REFUSED", text));
  } finally {
    socket.destroy();
  }
}
