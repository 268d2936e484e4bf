// One message as OpenAPI operations: a POST whose body is its data, and for a query a GET whose parameters are its fields.

import type { Field, JsonSchema } from "../fields.ts";
import type { Operation } from "../operation.ts";
import { ref } from "./components.ts";
import { exampleOf } from "./example.ts";

/** A resource and verb are letters and digits, so that no two make the same name; generators turn it into their own case. */
export function nameOf({ route }: Operation, what?: "data" | "result" | "post"): string {
  return [route.resource, route.verb, ...(what === undefined ? [] : [what])].join("_");
}

/** The path item. @param problems statuses that are answered with a problem */
export function describePath(operation: Operation, problems: readonly number[]): Record<string, object> {
  const post = describePost(operation, problems);
  return operation.route.definition.kind === "query" ? { get: describeGet(operation, problems), post } : { post };
}

function describePost(operation: Operation, problems: readonly number[]): object {
  const query = operation.route.definition.kind === "query";
  const example = exampleOf(operation);
  return {
    operationId: query ? nameOf(operation, "post") : nameOf(operation),
    ...common(operation),
    parameters: [...(query ? [] : ["IdempotencyKey", "Deadline"]), ...always(operation)].map((name) =>
      ref("parameters", name),
    ),
    requestBody: {
      required: operation.data.required !== undefined,
      content: {
        "application/json": {
          schema: ref("schemas", nameOf(operation, "data")),
          ...(example === undefined ? {} : { example }),
        },
      },
    },
    responses: responses(operation, problems, false),
  };
}

function describeGet(operation: Operation, problems: readonly number[]): object {
  return {
    operationId: nameOf(operation),
    ...common(operation),
    parameters: [
      ...[...operation.fields].map(([name, field]) => describeField(operation, name, field)),
      ...["IfNoneMatch", ...always(operation)].map((name) => ref("parameters", name)),
    ],
    responses: responses(operation, problems, true),
  };
}

function common({ route }: Operation): object {
  const { name, resource, definition, plugin } = route;
  return {
    tags: [resource],
    summary: definition.summary,
    "x-capstan": { message: name, kind: definition.kind, plugin: plugin.name },
  };
}

function always(operation: Operation): string[] {
  return [...(operation.waits ? ["Prefer"] : []), "RequestId", "Traceparent"];
}

function describeField(operation: Operation, name: string, { kind, required, schema }: Field): object {
  const { description, ...rest } = schema;
  const paging = name === operation.page ? "The `next` of the page before." : undefined;
  const said = description ?? paging;
  return {
    ...{ name, in: "query", ...(required ? { required } : {}) },
    ...(said === undefined ? {} : { description: said }),
    ...(kind === "json" && schema.type !== "array"
      ? { content: { "application/json": { schema: local(rest, nameOf(operation, "data")) } } }
      : { schema: local(rest, nameOf(operation, "data")) }),
  };
}

function responses(operation: Operation, problems: readonly number[], get: boolean): object {
  const page = operation.page;
  return {
    200: {
      description:
        page === undefined
          ? "What came of it."
          : "A page; `next` is where the one after it begins, where there is one.",
      headers: {
        "X-Request-Id": ref("headers", "RequestId"),
        ...(operation.route.definition.kind === "command" ? { "Capstan-Message": ref("headers", "MessageId") } : {}),
        ...(get ? { ETag: ref("headers", "ETag") } : {}),
        ...(get && page !== undefined ? { Link: ref("headers", "Link") } : {}),
      },
      content: { "application/json": { schema: ref("schemas", nameOf(operation, "result")) } },
      ...(page === undefined
        ? {}
        : { links: { next: { operationId: nameOf(operation), parameters: { [page]: "$response.body#/next" } } } }),
    },
    ...(operation.waits ? { 202: ref("responses", "Pending") } : {}),
    ...(get ? { 304: ref("responses", "NotModified") } : {}),
    ...Object.fromEntries(problems.map((status) => [status, ref("responses", `Problem${status}`)])),
    default: {
      description: "Another problem.",
      content: { "application/problem+json": { schema: ref("schemas", "Problem") } },
    },
  };
}

/** References within a message's schema, as references within the document, where it stands under `name`. */
export function local<Value>(value: Value, name: string): Value {
  if (Array.isArray(value)) return value.map((one) => local(one, name)) as Value;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      key === "$ref" && typeof one === "string" && one.startsWith("#")
        ? `#/components/schemas/${name}${one.slice(1)}`
        : local(one, name),
    ]),
  ) as Value;
}

export function schemasOf(operation: Operation): Record<string, JsonSchema> {
  const data = nameOf(operation, "data");
  const result = nameOf(operation, "result");
  return { [data]: local(operation.data, data), [result]: local(operation.result, result) };
}
