// What the operations of the OpenAPI document share: headers, parameters, the problem document with its codes, the answer that is
// still to come.

import type { FaultRow } from "../../fault/fault.ts";
import type { JsonSchema } from "../fields.ts";
import { PROBLEM_TYPE, problemPath, titleOf } from "../problem.ts";
import { LONGEST_WAIT_S, WAIT_S } from "../request-headers.ts";

const text = { type: "string" };

export function ref(kind: "schemas" | "parameters" | "headers" | "responses", name: string): JsonSchema {
  return { $ref: `#/components/${kind}/${name}` };
}

/** Codes by the status that they are answered with, both in order. */
export function codesByStatus(faults: ReadonlyMap<string, FaultRow>): ReadonlyMap<number, readonly string[]> {
  const found = new Map<number, string[]>();
  for (const [code, { status }] of [...faults].sort(([a], [b]) => (a < b ? -1 : 1))) {
    // The others of that status end a start; a request is not told them.
    if (status === 500 && code !== "INTERNAL") continue;
    found.set(status, [...(found.get(status) ?? []), code]);
  }
  return new Map([...found].sort(([a], [b]) => a - b));
}

export const parameters = {
  IdempotencyKey: {
    ...{ name: "Idempotency-Key", in: "header" },
    description:
      "Sent again with the same key, the request joins the first and gets its answer. In quotes, or plain. (draft-ietf-httpapi-idempotency-key-header)",
    schema: { ...text, minLength: 1, maxLength: 300 },
    example: '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
  },
  Prefer: {
    ...{ name: "Prefer", in: "header" },
    description: `RFC 7240: \`wait=n\` waits n seconds at most for the outcome (default ${WAIT_S}, at most ${LONGEST_WAIT_S}), \`respond-async\` not at all; past it the answer is 202.`,
    schema: text,
    example: "wait=5",
  },
  RequestId: {
    ...{ name: "X-Request-Id", in: "header" },
    description: "The caller's own id for what belongs together: the message's correlation.",
    schema: { ...text, maxLength: 200 },
  },
  Traceparent: {
    ...{ name: "traceparent", in: "header" },
    description: "The caller's place in a distributed trace (W3C Trace Context).",
    schema: text,
  },
  Deadline: {
    ...{ name: "Capstan-Deadline", in: "header" },
    description: "Milliseconds since the epoch, after which the work is of no use.",
    schema: { type: "integer", minimum: 1 },
  },
  IfNoneMatch: {
    ...{ name: "If-None-Match", in: "header" },
    description: "The ETag of an answer that the caller has: 304 where it is still the answer.",
    schema: text,
  },
} as const;

export const headers = {
  RequestId: { description: "The request's id: the caller's, or one that was made.", schema: text },
  MessageId: {
    description: "The id of the message that the request was, for message.attach and log.explain.",
    schema: text,
  },
  ETag: { description: "Of the answer, for If-None-Match.", schema: text },
  Link: { description: 'RFC 8288: `rel="next"` is the next page.', schema: text },
  Location: { description: "Where what comes of the message is told: GET waits for it.", schema: text },
  RetryAfter: { description: "Seconds after which asking again is worth it.", schema: { type: "integer" } },
  PreferenceApplied: { description: "The preference that was followed.", schema: text },
  Allow: { description: "The methods that the path answers.", schema: text },
  Authenticate: { description: "RFC 6750.", schema: text },
} as const;

const problemSchema = {
  type: "object",
  description: "A problem document (RFC 9457). Narrow on `code` and on nothing else.",
  properties: {
    type: { ...text, format: "uri-reference", description: "The page of the code, on the node." },
    title: text,
    status: { type: "integer" },
    detail: { ...text, description: "What happened, to what, and what to do." },
    instance: { ...text, format: "uri-reference", description: "Where what came of the message is told." },
    code: ref("schemas", "ProblemCode"),
    retryable: { type: "boolean", description: "Whether the same request, unchanged, may succeed later." },
    details: { description: "What a program can use; for MESSAGE_INVALID a list of `{path, problem}`." },
    id: { ...text, description: "The message's id, for log.explain." },
  },
  required: ["type", "title", "status", "detail", "code", "retryable"],
};

const pendingSchema = {
  type: "object",
  description: "The message was accepted, and what comes of it is still to come.",
  properties: {
    pending: { const: true },
    message: { ...text, description: "Its id, where nothing else is known of it; `Capstan-Message` always has it." },
    held: { ...text, description: "What it waits for." },
  },
  required: ["pending"],
};

export function sharedSchemas(codes: ReadonlyMap<number, readonly string[]>): Record<string, JsonSchema> {
  const codeSchema = {
    type: "string",
    description: "Stable. Another composition has others: go by `status` where one is not known.",
    enum: [...codes.values()].flat().sort(),
  };
  const schemas: Record<string, JsonSchema> = {
    Problem: problemSchema,
    ProblemCode: codeSchema,
    Pending: pendingSchema,
  };
  for (const [status, some] of codes) {
    schemas[`Problem${status}`] = {
      allOf: [
        ref("schemas", "Problem"),
        {
          type: "object",
          properties: { status: { const: status }, code: { type: "string", enum: some } },
          required: ["status", "code"],
        },
      ],
    };
  }
  return schemas;
}

export function sharedResponses(codes: ReadonlyMap<number, readonly string[]>): Record<string, object> {
  const responses: Record<string, object> = {
    Pending: {
      description: "Accepted; ask at `Location` for what comes of it.",
      headers: {
        ...{ Location: ref("headers", "Location"), "Retry-After": ref("headers", "RetryAfter") },
        ...{ "Capstan-Message": ref("headers", "MessageId"), "X-Request-Id": ref("headers", "RequestId") },
        "Preference-Applied": ref("headers", "PreferenceApplied"),
      },
      content: { "application/json": { schema: ref("schemas", "Pending") } },
      // A client that follows links needs to build no address.
      links: { outcome: { operationId: "message_attach", parameters: { id: "$response.header.Capstan-Message" } } },
    },
    NotModified: {
      description: "The answer is the one that `If-None-Match` names.",
      headers: { ETag: ref("headers", "ETag") },
    },
  };
  for (const [status, some] of codes) responses[`Problem${status}`] = problemResponse(status, some);
  return responses;
}

function problemResponse(status: number, codes: readonly string[]): object {
  const [code = "INTERNAL"] = codes;
  return {
    description: codes.join(", "),
    headers: {
      "X-Request-Id": ref("headers", "RequestId"),
      ...(status === 401 ? { "WWW-Authenticate": ref("headers", "Authenticate") } : {}),
      ...(status === 405 ? { Allow: ref("headers", "Allow") } : {}),
      ...(status === 429 || status === 503 ? { "Retry-After": ref("headers", "RetryAfter") } : {}),
    },
    content: {
      [PROBLEM_TYPE]: {
        schema: ref("schemas", `Problem${status}`),
        example: { type: problemPath(code), title: titleOf(code), status, detail: "…", code, retryable: false },
      },
    },
  };
}
