// Where a forwarded call comes from. For the nodes behind the forwarder we have its word; the forwarder itself we have verified.

import { FaultError, fault } from "../fault/fault.ts";
import type { ForwardedOptions } from "./message.ts";

export interface ForwardedOrigin extends Pick<ForwardedOptions, "timeout" | "request"> {
  readonly via: readonly string[];
  readonly hops: number;
}

/**
 * What the envelope says of a call that `node` forwards to `self`.
 * @throws FaultError FORWARDED_BACK where it came through either of them, or through any node twice
 */
export function forwardedBy(
  node: string,
  self: string,
  { via = [], hops = 0, timeout, request }: ForwardedOptions,
): ForwardedOrigin {
  const path = Object.freeze([...via, node]);
  if (path.includes(self) || via.includes(node) || hasTwice(via)) {
    const text = `the call came through ${path.join(", ")}, and was forwarded to ${self}: it goes in a circle`;
    throw new FaultError(fault("FORWARDED_BACK", text));
  }
  // Each node on the path counts as one more hop.
  return { via: path, hops: Math.max(hops, path.length), timeout, request };
}

/** Paths are short, and mostly of one node. */
function hasTwice(via: readonly string[]): boolean {
  return via.length > 1 && new Set(via).size < via.length;
}
