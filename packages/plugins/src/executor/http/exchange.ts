// A request sent, and its answer's head. Each hop is resolved, judged and connected to by address; a hop to another origin gets
// nothing that was meant for the configured one, and the operator's list opens nothing to it.

import { rootCertificates } from "node:tls";
import { FaultError } from "@capstan/orchestrator";
import { type AllowList, allowList } from "./address/allow-list.ts";
import { bracketed, checkedAddresses, type Host, hostOf, type Resolve } from "./address/checked-address.ts";
import type { IpAddress } from "./address/ip-address.ts";
import { type Hop, headersOf, isRedirect, nextHop, placeOf, redirectRefused } from "./hop.ts";
import type { HttpRequest } from "./request.ts";
import { isNotConnected, unreachable } from "./unreachable.ts";

/** What requests go out through. */
export interface Network {
  readonly allow: AllowList;
  readonly resolve: Resolve;
  /** PEM certificates that are trusted beside the public ones. */
  readonly ca: readonly string[];
}

export interface Answer {
  readonly response: Response;
  /** Where it came from: origin and path, without the query. */
  readonly where: string;
}

const NOTHING = allowList([]);
// A connection that is reused may be closed under a request that is on its way, and only what changes nothing is then safe to
// have sent.
const kept = new Bun.FetchSession({ keepAlive: { idleTimeout: 20, maxIdleSockets: 64 }, proxy: false });
const once = new Bun.FetchSession({ keepAlive: false, proxy: false });

/** @param expected which statuses are an answer, redirects among them */
export async function exchange(
  request: HttpRequest,
  redirects: number,
  expected: (status: number) => boolean,
  network: Network,
  signal: AbortSignal,
): Promise<Answer> {
  let hop: Hop = { ...request, own: true };
  for (let left = redirects; ; left--) {
    const response = await send(hop, network, signal);
    const location = response.headers.get("location");
    if (!isRedirect(response.status) || location === null || expected(response.status)) {
      return { response, where: placeOf(hop.url) };
    }
    await response.body?.cancel().catch(() => {});
    if (left <= 0) throw redirectRefused(hop, response.status, location, `"redirects" is ${redirects}`);
    hop = nextHop(hop, response.status, location);
  }
}

async function send(hop: Hop, network: Network, signal: AbortSignal): Promise<Response> {
  const host = hostOf(hop.url);
  const allow = hop.own ? network.allow : NOTHING;
  const addresses = await checkedAddresses(host, { allow, resolve: network.resolve, signal });
  for (const [i, address] of addresses.entries()) {
    try {
      return await sendTo(address, host, hop, network, signal);
    } catch (thrown) {
      signal.throwIfAborted();
      if (isNotConnected(thrown) && i + 1 < addresses.length) continue;
      throw new FaultError(unreachable(thrown, placeOf(hop.url)));
    }
  }
  throw new Error("a host without addresses was let through");
}

function sendTo(address: IpAddress, host: Host, hop: Hop, { ca }: Network, signal: AbortSignal): Promise<Response> {
  const url = new URL(hop.url);
  url.hostname = bracketed(address);
  url.hash = "";
  const reading = hop.method === "GET" || hop.method === "HEAD" || hop.method === "OPTIONS";
  return fetch(url, {
    method: hop.method,
    headers: headersOf(hop, host),
    ...(hop.body === undefined ? {} : { body: hop.body }),
    redirect: "manual",
    // Decompressed here, where it can be bounded.
    decompress: false,
    // The call's deadline is its signal.
    timeout: false,
    signal,
    session: reading ? kept : once,
    // NODE_TLS_REJECT_UNAUTHORIZED is not asked.
    ...(url.protocol === "https:" ? { tls: { rejectUnauthorized: true, ...tlsFor(host, ca) } } : {}),
  });
}

/** The name that the certificate has to be for is the URL's, whatever address it is at. */
export function tlsFor(host: Host, ca: readonly string[]): { serverName?: string; ca?: string[] } {
  return {
    ...(host.address === undefined ? { serverName: host.name } : {}),
    ...(ca.length === 0 ? {} : { ca: [...rootCertificates, ...ca] }),
  };
}
