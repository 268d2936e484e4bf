// How a server's certificate is told to be its own where this machine does not trust it by itself: one that it must come of
// (`--ca`), the pin of the very one (`--server-pin`), or the very one that the server of this data directory is served under.

import { readFileSync } from "node:fs";
import { FaultError, fault, isPin, pinnedTls, printable } from "@capstan/orchestrator";
import { usageFault } from "../fault/thrown.ts";
import { reasonOf } from "../input/json-input.ts";
import type { ServerFile } from "./server-file.ts";

export type Trust = CertificateTrust | PinTrust;

export interface PinTrust {
  readonly pin: string;
}

export interface CertificateTrust {
  /** PEM. */
  readonly ca: string;
  /** It is the server's own, and so good whatever it was asked as. */
  readonly pinned: boolean;
}

/** What was said of it, if anything. @throws FaultError FILE_UNREADABLE, USAGE_INVALID */
export function trustSaid(ca: string | undefined, pin: string | undefined): Trust | undefined {
  if (ca !== undefined && pin !== undefined) throw usageFault("--ca and --server-pin say the same twice; give one");
  if (pin === undefined) return ca === undefined ? undefined : trustIn(ca);
  if (isPin(pin)) return { pin };
  throw usageFault(`--server-pin "${printable(pin)}" is no pin, like sha256-…; its operator tells it`);
}

/** @throws FaultError FILE_UNREADABLE */
export function trustIn(path: string): CertificateTrust {
  let ca: string;
  try {
    ca = readFileSync(path, "utf8");
  } catch (error) {
    throw new FaultError(fault("FILE_UNREADABLE", `${printable(path)} cannot be read: ${reasonOf(error)}`));
  }
  if (ca.includes("-----BEGIN CERTIFICATE-----")) return { ca, pinned: false };
  throw new FaultError(fault("FILE_UNREADABLE", `${printable(path)} holds no certificate in PEM form`));
}

/** Of the server that runs here; `undefined` where it is served without one, or its file is gone. */
export function trustOf({ certificate }: ServerFile): CertificateTrust | undefined {
  if (certificate === undefined) return undefined;
  try {
    return { ca: readFileSync(certificate, "utf8"), pinned: true };
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
export function tlsOptions({ ca, pinned }: CertificateTrust): object {
  return pinned ? { ca, allowPartialTrustChain: true, checkServerIdentity: () => undefined } : { ca };
}
