// CORS (https://fetch.spec.whatwg.org/#http-cors-protocol). Admission has already refused foreign origins, so that every response may be read by
// the page that asked. Credentials are bearer headers, never cookies.

const REQUEST_HEADERS =
  "authorization, content-type, idempotency-key, prefer, if-none-match, x-request-id, capstan-deadline, traceparent, last-event-id";
const RESPONSE_HEADERS =
  "location, link, etag, allow, retry-after, preference-applied, x-request-id, capstan-message, www-authenticate";
/** How long a browser may cache a preflight, in seconds. */
const PREFLIGHT_S = 600;

/** What a page of an admitted origin needs to read an answer. */
export function addCrossOrigin(request: Request, headers: Headers): void {
  headers.append("vary", "Origin");
  const origin = request.headers.get("origin");
  if (origin === null) return;
  headers.set("access-control-allow-origin", origin);
  headers.set("access-control-expose-headers", RESPONSE_HEADERS);
}

/** The response to OPTIONS: the path's methods, and for a browser's preflight what it may send. */
export function optionsResponse(request: Request, methods: readonly string[]): Response {
  const headers = new Headers({ allow: methods.join(", ") });
  if (request.headers.has("access-control-request-method")) {
    headers.set("access-control-allow-methods", methods.join(", "));
    headers.set("access-control-allow-headers", REQUEST_HEADERS);
    headers.set("access-control-max-age", String(PREFLIGHT_S));
  }
  return new Response(null, { status: 204, headers });
}
