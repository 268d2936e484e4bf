// Where a call comes from that another node forwards: that node's own word for what lies behind it, and ours for itself.

import { FaultError, fault } from "../fault/fault.ts";
import type { ForwardedOptions } from "./message.ts";

/**
 * What the envelope says of a call that `node` forwards to `self`.
 * @throws FaultError FORWARDED_BACK where it came through either of them, or through any node twice
 */
export function forwardedBy(
  node: string,
  self: string,
  { via = [], hops = 0, request }: ForwardedOptions,
): { readonly via: readonly string[]; readonly hops: number; readonly request: string | undefined } {
  const path = Object.freeze([...via, node]);
  if (path.includes(self) || new Set(path).size < path.length) {
    const text = `the call came through ${path.join(", ")}, and was forwarded to ${self}: it goes in a circle`;
    throw new FaultError(fault("FORWARDED_BACK", text));
  }
  // Each node that it came through is a cause more.
  return { via: path, hops: Math.max(hops, path.length), request };
}
