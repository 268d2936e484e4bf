// Where a peer is dialled, as the transports take it: a WebSocket, under a pinned certificate where one is known, or iroh.

import { type DialOptions, pinnedDial } from "@capstan/orchestrator";
import { irohDial, isIrohUrl } from "@capstan/orchestrator/iroh";

/** Endpoints are shared by all that is dialled; iroh itself is loaded with the first. */
const overIroh = irohDial();

/** @param pin the certificate that is expected there, and no other (transport/pin) */
export function dialOptions(url: string, pin: string | undefined): DialOptions {
  if (isIrohUrl(url)) return { url, dial: overIroh };
  return pin === undefined ? { url } : { url, dial: pinnedDial(pin) };
}
