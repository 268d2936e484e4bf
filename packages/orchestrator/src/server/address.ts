// Where a node listens: `host:port`, loopback unless the operator asks for more.

import { FaultError, fault } from "../fault/fault.ts";
import type { Orchestrator } from "../orchestrator.ts";
import { isLoopback } from "./admission.ts";

/** Where a node listens by default. */
export const DEFAULT_LISTEN = "127.0.0.1:7420";

export interface Address {
  readonly hostname: string;
  readonly port: number;
  /** The host as in a URL or a Host header, without the port. */
  readonly host: string;
}

/** @throws FaultError CONFIG_UNKNOWN */
export function parseAddress(listen: string, what = "listen"): Address {
  const match = /^(?:(\[[0-9a-fA-F:.]+\]|[^:[\]]+):)?(\d{1,5})$/.exec(listen);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) {
    const text = `${what}: ${JSON.stringify(listen.slice(0, 100))} is no host:port, like ${DEFAULT_LISTEN}`;
    throw new FaultError(fault("CONFIG_UNKNOWN", text));
  }
  const hostname = (match[1] ?? "127.0.0.1").replace(/^\[|\]$/g, "");
  return { hostname, port, host: hostname.includes(":") ? `[${hostname}]` : hostname.toLowerCase() };
}

/** Refuses a public address unless the operator asked for one. @throws FaultError ADDRESS_REFUSED */
export function checkMeant({ hostname }: Address, asked: boolean): void {
  if (asked || isLoopback(hostname)) return;
  const text = `${hostname} can be reached from outside this machine; add --public if that is meant`;
  throw new FaultError(fault("ADDRESS_REFUSED", text));
}

/** The same, and whether some credential is needed to get in. @throws FaultError ADDRESS_REFUSED */
export function checkExposure(address: Address, asked: boolean, orchestrator: Orchestrator): void {
  checkMeant(address, asked);
  const { hostname } = address;
  if (isLoopback(hostname)) return;
  const { composition, reader } = orchestrator;
  if (![...composition.connections.values()].some((connection) => connection.open?.(reader) ?? true)) {
    throw new FaultError(
      fault("ADDRESS_REFUSED", `${hostname}: there is no credential to come by; make a grant first`),
    );
  }
}

/** The fault for an address that cannot be listened on; anything else that was thrown is answered unchanged. */
export function listenFault(thrown: unknown, { host, port }: Address): unknown {
  switch ((thrown as { code?: string }).code) {
    case "EADDRINUSE":
      return refused("PORT_IN_USE", "is in use; stop who listens there, or choose another with --listen");
    case "EACCES":
      return refused("ADDRESS_REFUSED", "may not be listened on by this user; choose a port above 1023");
    case "EADDRNOTAVAIL":
      return refused("ADDRESS_REFUSED", "is no address of this machine; choose another with --listen");
    default:
      return thrown;
  }

  function refused(code: string, why: string): FaultError {
    return new FaultError(fault(code, `${host}:${port} ${why}`));
  }
}
