// How an action or receiver says which request it is. What depends on the input is a template; scheme, host and port never do.

import { type Fault, fault } from "@capstan/orchestrator";
import { z } from "zod";
import { quote } from "../../registry/quote.ts";
import type { Call } from "../protocol.ts";
import { type Resolved, secretOr } from "../secret/secret.ts";
import { checkTemplates, isReference, parseTemplate } from "../template/template.ts";

const METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] as const;
const MOST_BYTES = 16 * 1024 * 1024;
const DEFAULT_BYTES = 1024 * 1024;

const template = z.string().max(64 * 1024);
const name = z.string().min(1).max(256);

export const httpConfigSchema = z.strictObject({
  /** Template; values stand percent-encoded in the path or the query. */
  url: z.string().min(1).max(8192),
  method: z.enum(METHODS).default("GET"),
  /** Appended to the URL's own. A value that is one placeholder may be a list: the parameter is repeated. */
  query: z.record(name, secretOr(template)).optional(),
  headers: z.record(name, secretOr(template)).optional(),
  /** `Authorization: Bearer …` */
  bearer: secretOr(z.string().min(1)).optional(),
  /** What is sent; a text that is one placeholder keeps its value's type. Default: the input, where the method has a body. */
  body: z.unknown().optional(),
  send: z.enum(["json", "form", "text"]).default("json"),
  response: z.enum(["json", "text"]).default("json"),
  /** What the output is: the body alone, or `{ status, headers, body }`. */
  answer: z.enum(["body", "response"]).default("body"),
  /** Statuses that are a success. Default: 200 to 299. */
  expect: z.array(z.number().int().min(200).max(599)).min(1).max(100).optional(),
  maxBytes: z.number().int().min(1).max(MOST_BYTES).default(DEFAULT_BYTES),
  redirects: z.number().int().min(0).max(10).default(0),
  /** Header that carries the call's key, which is the same for every attempt; not sent with GET, HEAD and OPTIONS. */
  idempotencyHeader: z.union([name, z.literal(false)]).default("Idempotency-Key"),
});

export type HttpConfiguration = z.output<typeof httpConfigSchema>;
export type HttpCall = Call<Resolved<HttpConfiguration>>;

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/; // RFC 9110 §5.6.2
const OURS =
  /^(host|connection|content-length|transfer-encoding|te|trailer|upgrade|keep-alive|expect|accept-encoding|proxy-.*)$/i;
// The authority ends before the first placeholder, or the caller would choose where a request goes.
const WRITTEN_OUT = /^https?:\/\/[^/?#\\\s@]+(?=[/?#]|$)/i;

/** Scheme, host and port of a URL's template. */
export function originOf(url: string): URL | Fault {
  const parts = parseTemplate(url);
  if ("problem" in parts) return fault("CONFIG_INVALID", `"url": ${parts.problem}`);
  const first = typeof parts[0] === "string" ? parts[0] : "";
  const authority = WRITTEN_OUT.exec(first)?.[0];
  if (authority === undefined || (authority === first && parts.length > 1)) {
    const must =
      "begins with http:// or https:// and a host, without user or password, and no template stands in those";
    return fault("CONFIG_INVALID", `"url": ${quote(url)} is no URL that ${must}`);
  }
  const origin = URL.parse(authority);
  return origin ?? fault("CONFIG_INVALID", `"url": ${quote(authority)} is no URL`);
}

/** What the schema cannot say. */
export function validateHttp(configuration: HttpConfiguration): Fault | undefined {
  const { url, query, headers, bearer, body, method, idempotencyHeader } = configuration;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a URL parser would drop without a word
  if (/[\u0000-\u0020\\]/.test(url.replaceAll(/\{\{[^{}]*\}\}/g, "")))
    return invalid('"url" holds a blank, a backslash or a control character');
  if (url.includes("#")) return invalid('"url" has a fragment, which is never sent; write # as %23');
  if (steps(url)) return invalid('"url" has "." or ".." in its path; write the path that it comes to');
  const flaw =
    checkTemplates(query ?? {}, '"query"') ??
    checkTemplates(headers ?? {}, '"headers"') ??
    checkTemplates(body, '"body"');
  if (flaw !== undefined) return flaw;
  const seen = new Set<string>();
  const own = [
    ...(bearer === undefined ? [] : ["Authorization"]),
    ...(idempotencyHeader === false ? [] : [idempotencyHeader]),
  ];
  for (const header of [...Object.keys(headers ?? {}), ...own]) {
    if (!TOKEN.test(header)) return invalid(`"headers": ${quote(header)} is no name of a header`);
    if (OURS.test(header)) return invalid(`"headers": ${quote(header)} is set by the protocol`);
    if (seen.has(header.toLowerCase())) return invalid(`"headers": ${quote(header)} is set twice`);
    seen.add(header.toLowerCase());
  }
  for (const [header, value] of Object.entries(headers ?? {})) {
    if (!isReference(value) && /[^\t\u0020-\u007e\u0080-\u00ff]/.test(value as string)) {
      return invalid(
        `"headers.${header}" holds what a header cannot: a line break, a control or a character beyond Latin-1`,
      );
    }
  }
  if (body !== undefined && !hasBody(method)) return invalid(`"body": ${method} has none; set "method"`);
  return undefined;
}

export function hasBody(method: HttpConfiguration["method"]): boolean {
  return method === "POST" || method === "PUT" || method === "PATCH" || method === "DELETE";
}

/** Whether a path has a step that stays or goes up. */
export function steps(url: string): boolean {
  const path = url.replace(/^[a-z]+:\/\/[^/?#]*/i, "").replace(/[?#].*$/s, "");
  return path.split("/").some((segment) => /^(\.|%2e){1,2}$/i.test(segment));
}

function invalid(problem: string): Fault {
  return fault("CONFIG_INVALID", problem);
}
