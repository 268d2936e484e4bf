// Where a node is reached by its peers, as `--address` says it: an origin, or an address by iroh.

import { formatIrohUrl, isIrohUrl, parseIrohUrl } from "@capstan/orchestrator/iroh";
import { printable } from "@capstan/orchestrator/remote";
import { usageFault } from "../fault/thrown.ts";

const SCHEMES = ["http:", "https:", "ws:", "wss:"];

/** `https://berlin.example:7420` @throws FaultError USAGE_INVALID, IROH_ADDRESS_INVALID */
export function peerAddress(text: string): string {
  if (isIrohUrl(text)) return formatIrohUrl(parseIrohUrl(text));
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`);
  // It goes into a file, and into the other node's log.
  if (url !== null && url.username + url.password !== "")
    throw usageFault("--address: no credential belongs into an address");
  const isOrigin = url !== null && ["", "/", "/rpc"].includes(url.pathname) && url.search + url.hash === "";
  if (!isOrigin || !SCHEMES.includes(url.protocol))
    throw usageFault(`--address "${printable(text)}" is no address of a node, like https://berlin.example:7420`);
  return url.origin.replace(/^ws/, "http");
}
