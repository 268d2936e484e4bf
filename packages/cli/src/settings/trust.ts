// How a server's certificate is told to be its own where this machine does not trust it by itself: one that it must come of
// (`--ca`), the pin of the very one (`--server-pin`), or the very one that the server of this data directory is served under.

import { readFileSync } from "node:fs";
import { certificatePin, FaultError, fault, isPin, pinnedTls, pinOf, printable } from "@capstan/orchestrator/remote";
import { usageFault } from "../fault/thrown.ts";
import { unreadable } from "../input/json-input.ts";
import type { ServerFile } from "./server-file.ts";

export type Trust = CertificateTrust | PinTrust;

export interface PinTrust {
  readonly pin: string;
}

export interface CertificateTrust {
  /** PEM. */
  readonly ca: string;
  /** The pin of the server's own, which is good whatever it was asked as; what else comes of the same authority is not. */
  readonly own?: string;
}

/** What was said of it, if anything. @throws FaultError FILE_UNREADABLE, USAGE_INVALID */
export function trustSaid(ca: string | undefined, pin: string | undefined, where = "--server-pin"): Trust | undefined {
  if (ca !== undefined && pin !== undefined) throw usageFault("--ca and --server-pin say the same twice; give one");
  if (pin === undefined) return ca === undefined ? undefined : trustIn(ca);
  if (isPin(pin)) return { pin };
  throw usageFault(`${where}: "${printable(pin)}" is no pin, like sha256-…; its operator tells it`);
}

/** @throws FaultError FILE_UNREADABLE */
export function trustIn(path: string): CertificateTrust {
  let ca: string;
  try {
    ca = readFileSync(path, "utf8");
  } catch (error) {
    throw unreadable(path, error);
  }
  if (ca.includes("-----BEGIN CERTIFICATE-----")) return { ca };
  throw new FaultError(fault("FILE_UNREADABLE", `${printable(path)} holds no certificate in PEM form`));
}

/** Of the server that runs here; `undefined` where it is served without one, or its file is gone. */
export function trustOf({ certificate, pin }: ServerFile): CertificateTrust | undefined {
  if (certificate === undefined) return undefined;
  try {
    const ca = readFileSync(certificate, "utf8");
    return { ca, own: pin ?? certificatePin(ca) };
  } catch {
    return undefined;
  }
}

/** As Bun's `fetch` takes it for the address. @throws FaultError CERTIFICATE_PIN_REFUSED, UNREACHABLE */
export async function tlsTo(url: string, trust: Trust | undefined): Promise<object> {
  if (trust === undefined) return {};
  return { tls: "pin" in trust ? await pinnedTls(url, trust.pin) : tlsOptions(trust) };
}

/** As Bun's `fetch` and `WebSocket` take it. */
export function tlsOptions({ ca, own }: CertificateTrust): object {
  if (own === undefined) return { ca };
  const checkServerIdentity = (_: string, { raw }: { readonly raw?: Uint8Array }): Error | undefined =>
    raw !== undefined && pinOf(raw) === own ? undefined : new Error("the certificate is not the server's own");
  return { ca, allowPartialTrustChain: true, checkServerIdentity };
}
