// Whether an address is of this machine: what is sent there is for nobody else's eyes, and goes there directly.

import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";

/** Its loopback. */
export function isLocal(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** Its loopback, or an address of one of its interfaces. Names can be anybody's. */
export function isOfThisMachine(url: string): boolean {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  const all = Object.values(networkInterfaces()).flatMap((one) => one ?? []);
  return isLocal(url) || all.some((one) => one.address === host && !isLinkLocal(one));
}

/** Of one link: on another one somebody else may have it (RFC 4291 §2.5.6). */
function isLinkLocal({ address }: NetworkInterfaceInfo): boolean {
  return /^fe[89ab]/i.test(address);
}

/** As Bun's `fetch` takes it: what the environment names as a proxy is for other machines, and reads what is no TLS. */
export function directly(url: string): object {
  return isOfThisMachine(url) ? { proxy: false } : {};
}
