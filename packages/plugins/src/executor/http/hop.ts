// One request of a chain of redirects: where the next one goes, and what it may take along. A hop to another origin gets nothing
// that was meant for the configured one.

import { FaultError, fault } from "@capstan/orchestrator";
import { quote } from "../../registry/quote.ts";
import { bracketed, type Host } from "./address/checked-address.ts";
import type { HttpRequest } from "./request.ts";

export interface Hop extends HttpRequest {
  /** Whether it is for the configured origin, and no other server had a say in it. */
  readonly own: boolean;
}

export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

export function redirectRefused({ url }: Hop, status: number, location: string, why: string): FaultError {
  return new FaultError(
    fault("HTTP_REDIRECT_REFUSED", `${placeOf(url)} answered ${status} to ${quote(location)}: ${why}`),
  );
}

export function nextHop(hop: Hop, status: number, location: string): Hop {
  const refuse = (why: string) => redirectRefused(hop, status, location, why);
  const url = URL.parse(location, hop.url);
  if (url === null || !/^https?:$/.test(url.protocol)) throw refuse("that is no http or https URL");
  if (url.username !== "" || url.password !== "") throw refuse("it has a user or a password in it");
  if (hop.url.protocol === "https:" && url.protocol === "http:") throw refuse("it leaves https");
  const own = hop.own && url.origin === hop.url.origin;
  // RFC 9110 §15.4: 303 always becomes GET, and POST does by the first two.
  const reads = status === 303 ? hop.method !== "HEAD" : status <= 302 && hop.method === "POST";
  const sent = reads ? { method: "GET", body: undefined } : { method: hop.method, body: hop.body };
  if (!own && sent.body !== undefined) throw refuse("it would hand the body to another origin");
  return { ...hop, ...sent, url, own };
}

/** Host is the URL's, though the request goes to an address. */
export function headersOf(hop: Hop, host: Host): Headers {
  const headers = new Headers(hop.headers);
  if (hop.own) for (const [name, value] of hop.ownHeaders) headers.set(name, value);
  if (hop.body === undefined) headers.delete("content-type");
  const name = host.address === undefined ? host.name : bracketed(host.address);
  headers.set("host", hop.url.port === "" ? name : `${name}:${hop.url.port}`);
  return headers;
}

/** Origin and path; a query may hold a secret. */
export function placeOf({ origin, pathname }: URL): string {
  return `${origin}${pathname.length > 200 ? `${pathname.slice(0, 200)}…` : pathname}`;
}
