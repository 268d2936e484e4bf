// What an answer comes to: an output, or the fault that says why it is none.

import { FaultError, fault, printable } from "@capstan/orchestrator";
import { redactionOf } from "../template/redaction-of.ts";
import type { Answer } from "./exchange.ts";
import type { HttpCall, HttpConfiguration } from "./http-schema.ts";
import { beginningOf, wholeBody } from "./response-body.ts";

export interface HttpResponse {
  readonly status: number;
  /** Those of SHOWN that it has. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

// What says something of the content. Never set-cookie, or what a proxy on the way tells.
const SHOWN = ["content-type", "etag", "last-modified", "link", "location", "retry-after"];
const LONGEST_BEGINNING = 500;
const MOST_READ_OF_FAILURE = 16 * 1024;

export function isExpected({ expect }: Pick<HttpConfiguration, "expect">, status: number): boolean {
  return expect?.includes(status) ?? (status >= 200 && status < 300);
}

export async function outcomeOf(answer: Answer, call: HttpCall): Promise<unknown> {
  const { configuration, signal } = call;
  const { response, where } = answer;
  if (!isExpected(configuration, response.status)) throw await unexpected(answer, call);
  const body = read(await wholeBody(answer, configuration.maxBytes, signal), answer, configuration);
  if (configuration.answer === "body") return body;
  const shown = SHOWN.flatMap((name) => {
    const value = response.headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  return { status: response.status, headers: Object.fromEntries(shown), body } satisfies HttpResponse;

  function read(
    bytes: Uint8Array,
    { response }: Answer,
    { response: kind }: Pick<HttpConfiguration, "response">,
  ): unknown {
    if (kind === "text") return decoder(response.headers.get("content-type")).decode(bytes);
    if (bytes.length === 0) return null;
    try {
      return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
    } catch {
      const type = printable(response.headers.get("content-type") ?? "nothing", 80);
      throw new FaultError(fault("HTTP_RESPONSE_INVALID", `${where}: its body is no JSON; it is said to be ${type}`));
    }
  }
}

/** By the charset that it names, where that is known; what is malformed becomes U+FFFD. */
function decoder(contentType: string | null): TextDecoder {
  const charset = /;\s*charset="?([\w.:-]+)/i.exec(contentType ?? "")?.[1];
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder();
  }
}

async function unexpected(answer: Answer, call: HttpCall): Promise<FaultError> {
  const { response, where } = answer;
  const { status } = response;
  const said = await beginningOf(answer, MOST_READ_OF_FAILURE, call.signal);
  const beginning = printable(redactionOf(call.configuration, call.task.configuration)(said).trim(), LONGEST_BEGINNING);
  const again = status === 408 || status === 425 || status === 429 || status >= 500;
  const retryAfter = secondsUntil(response.headers.get("retry-after"), Date.now());
  const details = {
    status,
    ...(again && retryAfter !== undefined ? { retryAfter } : {}),
    ...(beginning === "" ? {} : { body: beginning }),
  };
  const method = call.configuration.method;
  return new FaultError(
    fault(again ? "HTTP_UNAVAILABLE" : "HTTP_STATUS", `${method} ${where} answered ${status}`, details),
  );
}

/** RFC 9110 §10.2.3: seconds, or a date. */
export function secondsUntil(retryAfter: string | null, now: number): number | undefined {
  if (retryAfter === null) return undefined;
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter);
  if (!/^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(retryAfter)) return undefined;
  const at = Date.parse(retryAfter);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000));
}
