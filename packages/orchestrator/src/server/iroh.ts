// Listening over iroh: checked like the node's port, and opened beside it. iroh itself is loaded only when it is asked for.

import { FaultError, fault } from "../fault/fault.ts";
import type { Orchestrator } from "../orchestrator.ts";
import type { Logger } from "../plugin/plugin.ts";
import { systemTimers } from "../time/timers.ts";
import { isRelay } from "../transport/iroh/address.ts";
import { IrohListener } from "../transport/iroh/listener.ts";
import { type Address, checkExposure, listenFault, parseAddress } from "./address.ts";
import type { CallerSessions } from "./caller-sessions.ts";

/** How to listen over iroh. */
export interface IrohOptions {
  /** The node's ed25519 secret key, 32 bytes. The public key is the node's address and what it proves. */
  readonly secretKey: Uint8Array;
  /** `host:port`, UDP; default: where the node listens for HTTP. */
  readonly listen?: string | undefined;
  /** URLs of relays, or `default` for number0's; default: none. */
  readonly relays?: readonly string[] | undefined;
}

interface Exposure {
  readonly public?: boolean;
  readonly logger?: Logger;
}

/**
 * Checks where it is to listen, and answers what opens it there.
 * @throws FaultError CONFIG_UNKNOWN, ADDRESS_REFUSED
 */
export function prepareIroh(
  orchestrator: Orchestrator,
  { secretKey, listen, relays = [] }: IrohOptions,
  { public: asked = false }: Exposure,
  own: Address,
): (sessions: CallerSessions) => Promise<IrohListener> {
  const address = listen === undefined ? own : parseAddress(listen, "iroh");
  checkExposure(address, asked, orchestrator);
  for (const relay of relays) {
    if (isRelay(relay)) continue;
    throw new FaultError(
      fault("CONFIG_UNKNOWN", `iroh: ${relay} is neither a relay's address, https://…, nor default`),
    );
  }
  // With a relay, everybody who knows the key can reach the node, wherever it listens.
  if (relays.length > 0) checkExposure({ ...address, hostname: "a relay" }, asked, orchestrator);
  return async (sessions) => {
    try {
      return await IrohListener.open({
        ...{ secretKey, relays, hostname: address.hostname, port: address.port, timers: systemTimers },
        arrived: (connection) => sessions.arrived(connection),
      });
    } catch (thrown) {
      throw listenFault(thrown, address);
    }
  };
}
