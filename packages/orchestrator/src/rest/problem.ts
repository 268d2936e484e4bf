// A fault as a problem document (RFC 9457): `code` is for programs, `detail` for people, and `type` is the URL of the code's page.

import type { Fault, FaultRow } from "../fault/fault.ts";
import type { Problem } from "../fault/problem.ts";
import { PREFIX } from "./operation.ts";

export const PROBLEMS = "/problems";
export const PROBLEM_TYPE = "application/problem+json";

/** `Retry-After` by status, in seconds. */
const RETRY_AFTER_S: Readonly<Record<number, number>> = { 429: 1, 503: 5 };

/** @param kept the message of `fault.id` is in the log, so that its outcome can be asked for again */
export function problemOf(
  { code, message, details, id }: Fault,
  row: Pick<FaultRow, "status" | "retryable">,
  kept: boolean,
): Problem {
  return {
    type: problemPath(code),
    title: titleOf(code),
    status: row.status,
    detail: message,
    ...(kept && id !== undefined ? { instance: outcomePath(id) } : {}),
    code,
    retryable: row.retryable,
    ...(details === undefined ? {} : { details }),
    ...(id === undefined ? {} : { id }),
  };
}

/** The path at which a message's outcome can be asked for. */
export function outcomePath(id: string): string {
  return `${PREFIX}/message/attach?id=${encodeURIComponent(id)}`;
}

export function problemPath(code: string): string {
  return `${PROBLEMS}/${code}`;
}

/** `KEY_REUSED` → `Key reused` */
export function titleOf(code: string): string {
  const words = code.replaceAll("_", " ").toLowerCase();
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

export function problemResponse(problem: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  const after = RETRY_AFTER_S[problem.status];
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: {
      "content-type": PROBLEM_TYPE,
      "cache-control": "no-store",
      ...(after === undefined ? {} : { "retry-after": String(after) }),
      ...headers,
    },
  });
}

/** What `/problems/<code>` says: the code's row of the fault table. */
export function problemPage(code: string, { status, retryable, text }: FaultRow): object {
  return { type: problemPath(code), title: titleOf(code), status, code, retryable, text: text ?? "" };
}
