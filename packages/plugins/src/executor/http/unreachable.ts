// What a failed connection comes to. The runtime's own text is never shown: it holds the URL, and that may hold a secret.

import { type Fault, FaultError, fault } from "@capstan/orchestrator";

/** Nothing was sent: another address of the same name may be tried. */
const NOT_CONNECTED = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL", "FailedToOpenSocket"]);
const NOT_HTTP = /HTTP|Header|Chunk|Upgrade|Redirect|Content/i;
const NOT_TRUSTED = /CERT|CRL|SIGNATURE|ISSUER|HOSTNAME/i;
const NO_TLS = /TLS|SSL|EPROTO/;

export function isNotConnected(thrown: unknown): boolean {
  return NOT_CONNECTED.has(codeOf(thrown));
}

/** `where` is an origin, or an origin and a path. */
export function unreachable(thrown: unknown, where: string): Fault {
  if (thrown instanceof FaultError) return thrown.toFault();
  const code = codeOf(thrown);
  const why = code === "" ? "" : ` (${code})`;
  if (NOT_TRUSTED.test(code)) return fault("HTTP_UNREACHABLE", `${where}: its certificate is not to be trusted${why}`);
  if (NO_TLS.test(code)) return fault("HTTP_UNREACHABLE", `${where}: TLS could not be agreed on${why}`);
  if (NOT_HTTP.test(code)) return fault("HTTP_RESPONSE_INVALID", `${where} answered with what is no HTTP${why}`);
  const what = NOT_CONNECTED.has(code) ? "nothing answers" : "the connection broke";
  return fault("HTTP_UNREACHABLE", `${where}: ${what}${why}`);
}

function codeOf(thrown: unknown): string {
  const code = (thrown as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code.slice(0, 64) : "";
}
