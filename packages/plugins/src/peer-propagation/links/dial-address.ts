// The dial options for a peer's address: iroh, or a WebSocket, which accepts only the pinned certificate if one is configured.

import { type DialOptions, pinnedDial } from "@capstan/orchestrator";
import { irohDial, isIrohUrl } from "@capstan/orchestrator/iroh";

/** All connections share its endpoints; iroh is loaded at the first one. */
const overIroh = irohDial();

/** @param pin of the only certificate that is accepted (transport/pin) */
export function dialOptions(url: string, pin: string | undefined): DialOptions {
  if (isIrohUrl(url)) return { url, dial: overIroh };
  return pin === undefined ? { url } : { url, dial: pinnedDial(pin) };
}
