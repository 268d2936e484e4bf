// The HTTP response for an answered message: a result, a page with a link to the next, or 202 where the outcome is still to come.

import { addCrossOrigin } from "./cross-origin.ts";
import { readPairs, writePairs } from "./fields.ts";
import type { Operation } from "./operation.ts";
import { outcomePath } from "./problem.ts";
import { queryOf } from "./request-data.ts";
import { matchesTag } from "./request-headers.ts";

/** `Retry-After` of a pending answer, in seconds. */
const ASK_AGAIN_S = 1;
const TAG_CHARACTERS = 22;

export interface Answered {
  readonly operation: Operation;
  readonly answer: unknown;
  /** The message's id, where it was a command. */
  readonly id: string | undefined;
  /** `Preference-Applied`. */
  readonly applied: string | undefined;
}

export function answerResponse(request: Request, { operation, answer, id, applied }: Answered): Response {
  const headers = new Headers();
  const text = JSON.stringify(answer) ?? "null";
  if (operation.waits && applied !== undefined) headers.set("preference-applied", applied);
  const pending = operation.waits ? pendingId(answer, id) : undefined;
  const told = id ?? pending;
  if (told !== undefined) headers.set("capstan-message", told);
  if (pending !== undefined) {
    headers.set("location", outcomePath(pending));
    headers.set("retry-after", String(ASK_AGAIN_S));
  }
  if (request.method === "POST" || pending !== undefined) {
    headers.set("content-type", "application/json");
    headers.set("cache-control", "no-store");
    return new Response(text, { status: pending === undefined ? 200 : 202, headers });
  }
  const next = nextPage(request, operation, answer);
  if (next !== undefined) headers.set("link", `<${next}>; rel="next"`);
  return taggedResponse(request, text, "private, no-cache", headers);
}

/** The id of the message whose outcome is still to come. @param id of the message that was just taken, where there is one */
function pendingId(answer: unknown, id: string | undefined): string | undefined {
  if (typeof answer !== "object" || answer === null) return undefined;
  const { pending, message } = answer as { pending?: unknown; message?: unknown };
  if (pending !== true) return undefined;
  return id ?? (typeof message === "string" ? message : undefined);
}

/** A link to the next page (RFC 8288): the same request, from where this page ends. */
function nextPage(request: Request, { page, path }: Operation, answer: unknown): string | undefined {
  const { next } = (answer ?? {}) as { next?: unknown };
  if (page === undefined || (typeof next !== "string" && typeof next !== "number")) return undefined;
  const pairs = readPairs(queryOf(request)).filter(([name]) => name !== page);
  return `${path}?${writePairs([...pairs, [page, String(next)]])}`;
}

/** A JSON response with an ETag: a client that has it already gets 304. */
export function taggedResponse(request: Request, json: string, caching: string, headers = new Headers()): Response {
  const digest = new Bun.CryptoHasher("sha256").update(json).digest("base64url");
  const tag = `"${digest.slice(0, TAG_CHARACTERS)}"`;
  headers.set("etag", tag);
  headers.set("cache-control", caching);
  if (matchesTag(request.headers.get("if-none-match"), tag)) return new Response(null, { status: 304, headers });
  headers.set("content-type", "application/json");
  return new Response(json, { headers });
}

/** Adds the headers that every response of this door has. HEAD is answered like GET, without the body (RFC 9110 §9.3.2). */
export async function dressed(request: Request, response: Response, requestId: string): Promise<Response> {
  const { headers, status } = response;
  headers.set("x-request-id", requestId);
  headers.set("x-content-type-options", "nosniff");
  headers.append("vary", "Authorization");
  addCrossOrigin(request, headers);
  if (request.method !== "HEAD" || response.body === null) return response;
  headers.set("content-length", String((await response.arrayBuffer()).byteLength));
  return new Response(null, { status, headers });
}
