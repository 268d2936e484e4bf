// How a server's certificate is told to be its own where this machine does not trust it by itself: one that it must come of
// (`--ca`), or the very one that the server of this data directory is served under.

import { readFileSync } from "node:fs";
import { FaultError, fault, printable } from "@capstan/orchestrator";
import { reasonOf } from "../input/json-input.ts";
import type { ServerFile } from "./server-file.ts";

export interface Trust {
  /** PEM. */
  readonly ca: string;
  /** It is the server's own, and so good whatever it was asked as. */
  readonly pinned: boolean;
}

/** @throws FaultError FILE_UNREADABLE */
export function trustIn(path: string): Trust {
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
export function trustOf({ certificate }: ServerFile): Trust | undefined {
  if (certificate === undefined) return undefined;
  try {
    return { ca: readFileSync(certificate, "utf8"), pinned: true };
  } catch {
    return undefined;
  }
}

/** As Bun's `fetch` and `WebSocket` take it. */
export function tlsOptions({ ca, pinned }: Trust): object {
  return pinned ? { ca, allowPartialTrustChain: true, checkServerIdentity: () => undefined } : { ca };
}
