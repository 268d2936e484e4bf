// Which requests are admitted at all. The Host header is checked against DNS rebinding, the Origin header against other sites' pages, which
// WebSockets and capnweb do not check themselves.

import { type Fault, fault } from "../fault/fault.ts";

export interface AdmissionOptions {
  /** The host that the node listens on, as in a Host header without its port. */
  readonly host: string;
  readonly allowHosts: readonly string[];
  readonly allowOrigins: readonly string[];
}

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);
const ANY = new Set(["0.0.0.0", "[::]", "::"]);

export function isLoopback(host: string): boolean {
  return LOOPBACK.has(host) || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** Why the request is refused; `undefined` where it is admitted. */
export function refusal(request: Request, options: AdmissionOptions): Fault | undefined {
  const header = request.headers.get("host") ?? "";
  const host = header.replace(/:\d+$/, "").toLowerCase();
  const known =
    LOOPBACK.has(host) ||
    host === options.host ||
    options.allowHosts.some((one) => one.toLowerCase() === host) ||
    (ANY.has(options.host) && isAddress(host));
  if (!known)
    return fault(
      "ORIGIN_REFUSED",
      `this node does not serve the host ${JSON.stringify(host.slice(0, 100))}; see --allow-host`,
    );
  const origin = request.headers.get("origin");
  if (origin === null) return undefined;
  if (options.allowOrigins.includes(origin)) return undefined;
  if (origin === `http://${header}` || origin === `https://${header}`) return undefined;
  return fault(
    "ORIGIN_REFUSED",
    `pages of ${JSON.stringify(origin.slice(0, 100))} may not call this node; see --allow-origin`,
  );
}

/** An IP address as Host is safe: DNS rebinding needs a name. */
function isAddress(host: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(host) || /^\[[0-9a-f:.]+\]$/.test(host);
}
