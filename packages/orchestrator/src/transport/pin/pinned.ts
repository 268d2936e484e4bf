// How a client reaches a server whose certificate it knows by its pin: that certificate is accepted, whatever its names are and whoever
// signed it, and no other. Bun checks a certificate against what it is given, and so it is looked at first: before anything is sent.

import { connect } from "node:tls";
import { FaultError, fault } from "../../fault/fault.ts";
import type { Dial } from "../link.ts";
import { webSocketDial } from "../web-socket/web-socket-dial.ts";
import { isPin, pinOf } from "./certificate-pin.ts";

const TIMEOUT_MS = 8_000;

/** As Bun's `WebSocket` and `fetch` take it. */
export interface PinnedTls {
  readonly ca: string;
  readonly allowPartialTrustChain: true;
  readonly checkServerIdentity: (host: string, certificate: { readonly raw?: Uint8Array }) => Error | undefined;
}

/** For `connect({ url: "https://…", as, dial: pinnedDial(pin) })`. What it rejects with: CERTIFICATE_PIN_REFUSED, UNREACHABLE. */
export function pinnedDial(pin: string, timeoutMs = TIMEOUT_MS): Dial {
  return webSocketDial(async (url) => {
    const tls = await pinnedTls(url, pin, timeoutMs);
    return new WebSocket(url, { tls } as never);
  });
}

/**
 * Looks at the certificate that is served there, and answers the options under which that very one is accepted.
 * @throws FaultError CERTIFICATE_PIN_REFUSED, UNREACHABLE
 */
export async function pinnedTls(url: string, pin: string, timeoutMs = TIMEOUT_MS): Promise<PinnedTls> {
  const { protocol, hostname, port, host } = new URL(url);
  if (!isPin(pin)) throw refused(host, `${JSON.stringify(pin.slice(0, 100))} is no pin, like sha256-…`);
  if (protocol !== "https:" && protocol !== "wss:") throw refused(host, "it is not asked for TLS");
  const der = await servedCertificate(hostname.replace(/^\[|\]$/g, ""), Number(port || 443), timeoutMs);
  const served = pinOf(der);
  if (served !== pin) throw refused(host, `its certificate's is ${served}`);
  const base64 = Buffer.from(der)
    .toString("base64")
    .replace(/(.{64})/g, "$1\n");
  return {
    ca: `-----BEGIN CERTIFICATE-----\n${base64.trimEnd()}\n-----END CERTIFICATE-----\n`,
    allowPartialTrustChain: true,
    // Asked of every connection: one that comes of the pinned certificate is not the pinned certificate.
    checkServerIdentity: (_, { raw }) =>
      raw !== undefined && pinOf(raw) === pin ? undefined : new Error("the certificate is not the one that is pinned"),
  };
}

function servedCertificate(host: string, port: number, timeoutMs: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const failed = (why: string): void => {
      socket.destroy();
      reject(new FaultError(fault("UNREACHABLE", `${host}:${port} could not be reached: ${why}`)));
    };
    const socket = connect({ host, port, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] }, () => {
      const { raw } = socket.getPeerCertificate() as { readonly raw?: Uint8Array };
      socket.destroy();
      if (raw === undefined) failed("it shows no certificate");
      else resolve(raw);
    });
    socket.setTimeout(timeoutMs, () => failed(`not within ${timeoutMs / 1000} s`));
    socket.once("error", (error) => failed(error.message));
  });
}

function refused(host: string, why: string): FaultError {
  return new FaultError(fault("CERTIFICATE_PIN_REFUSED", `${host} is not served under the pinned certificate: ${why}`));
}
