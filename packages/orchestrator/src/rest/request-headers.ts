// The call options in a request's headers: idempotency key, wait, trace and request id. A malformed header is ignored where its RFC says so (Prefer,
// traceparent), and refused where a caller relies on it.

import { FaultError, fault } from "../fault/fault.ts";
import type { CallOptions } from "../message/message.ts";
import { parseOptions, traceparentSchema } from "../message/parse.ts";

/** How long a response is waited for, in seconds: the default and the most, because proxies and clients give up. After that it is 202. */
export const WAIT_S = 30;
export const LONGEST_WAIT_S = 60;

export interface Asked {
  readonly options: CallOptions;
  /** The preference that was followed, as `Preference-Applied` has it. */
  readonly applied: string | undefined;
}

/** @throws FaultError REQUEST_MALFORMED, MESSAGE_INVALID */
export function askedBy(headers: Headers, requestId: string): Asked {
  const prefer = preferenceOf(headers.get("prefer") ?? "");
  return {
    options: parseOptions({
      key: idempotencyKey(headers.get("idempotency-key")),
      deadline: deadlineOf(headers.get("capstan-deadline")),
      correlation: requestId,
      traceparent: traceparentOf(headers.get("traceparent")),
      wait: prefer.wait * 1000,
    }),
    applied: prefer.applied,
  };
}

// RFC 8941 §3.3.3: an sf-string, without parameters.
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;
// An unquoted key; a comma would mean that two headers were joined.
const PLAIN = /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+$/;

/** draft-ietf-httpapi-idempotency-key-header §2.1 has it quoted; many clients do not. */
function idempotencyKey(header: string | null): string | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  const quoted = QUOTED.exec(text)?.[1];
  if (quoted !== undefined) return quoted.replace(/\\(.)/g, "$1");
  if (PLAIN.test(text)) return text;
  throw malformed('Idempotency-Key must be one text in quotes, like "8e03978e-40d5-43dd-bc93-6894a57f9324"');
}

function deadlineOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,16}$/.test(header)) return Number(header);
  throw malformed("Capstan-Deadline must be milliseconds since the epoch");
}

/** The length of a version 00 traceparent; later versions may be longer (Trace Context §3.2.2, §3.2.4). */
const TRACEPARENT_CHARACTERS = 55;

// Trace Context §3.2.2: where it cannot be parsed, the trace is restarted.
function traceparentOf(header: string | null): string | undefined {
  if (header === null) return undefined;
  const later = !header.startsWith("00-") && header[TRACEPARENT_CHARACTERS] === "-";
  const known = later ? header.slice(0, TRACEPARENT_CHARACTERS) : header;
  return traceparentSchema.safeParse(known).success ? known : undefined;
}

/** RFC 7240: unknown or unreadable preferences are ignored; of two alike the first counts. */
function preferenceOf(header: string): { readonly wait: number; readonly applied: string | undefined } {
  const preferences = header.split(",").map((one) => (one.split(";")[0] as string).trim().toLowerCase());
  const asked = preferences.map((one) => /^wait *= *"?(\d{1,9})"?$/.exec(one)?.[1]).find((one) => one !== undefined);
  if (asked !== undefined) {
    const wait = Math.min(Number(asked), LONGEST_WAIT_S);
    return { wait, applied: `wait=${wait}` };
  }
  if (preferences.includes("respond-async")) return { wait: 0, applied: "respond-async" };
  return { wait: WAIT_S, applied: undefined };
}

const REQUEST_ID = /^[\x21-\x7e]{1,200}$/;

/** The caller's own id for the request, or a new one. It becomes the message's correlation. */
export function requestIdOf(headers: Headers): string {
  const given = headers.get("x-request-id");
  if (given !== null && REQUEST_ID.test(given)) return given;
  return `r-${Buffer.from(crypto.getRandomValues(new Uint8Array(12))).toString("base64url")}`;
}

/** Whether `Accept` takes a media type: RFC 9110 §12.5.1, where the most specific range counts. */
export function accepts(accept: string | null, type: string, subtype: string): boolean {
  if (accept === null || accept.trim() === "") return true;
  const ranges = new Map<string, boolean>();
  for (const range of accept.toLowerCase().split(",")) {
    const [name = "", ...parameters] = range.split(";").map((part) => part.trim());
    ranges.set(name, !parameters.some((parameter) => /^q *= *0(?:\.0{0,3})?$/.test(parameter)));
  }
  return ranges.get(`${type}/${subtype}`) ?? ranges.get(`${type}/*`) ?? ranges.get("*/*") ?? false;
}

/** Whether one of the tags is the entity's: RFC 9110 §13.1.2, by weak comparison. */
export function matchesTag(ifNoneMatch: string | null, tag: string): boolean {
  if (ifNoneMatch === null) return false;
  const tags = ifNoneMatch.split(",").map((one) => one.trim());
  return tags.includes("*") || tags.some((one) => one.replace(/^W\//, "") === tag);
}

/** Whether the body is declared as JSON. Nothing else is taken: pages of other sites can send text and forms without a preflight (CSRF). */
export function isJson(headers: Headers): boolean {
  const type = headers.get("content-type");
  const coded = headers.get("content-encoding") ?? "identity";
  if (type === null || coded.toLowerCase() !== "identity") return false;
  return /^application\/json *(?:; *charset *= *"?utf-8"? *)?$/i.test(type.trim());
}

function malformed(text: string): FaultError {
  return new FaultError(fault("REQUEST_MALFORMED", text));
}
