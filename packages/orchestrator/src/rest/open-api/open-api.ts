// The description of the door: OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1), written out of the message table, complete
// enough to generate a client from. The same table gives the same text.

import type { Composition } from "../../plugin/composition.ts";
import type { JsonSchema } from "../fields.ts";
import type { Operation, Operations } from "../operation.ts";
import { PROBLEMS } from "../problem.ts";
import { codesByStatus, headers, parameters, ref, sharedResponses, sharedSchemas } from "./components.ts";
import { describePath, schemasOf } from "./describe-operation.ts";

const DESCRIPTION = `Every message that can be sent to the node. A POST's body is the message's data; a query can be asked by GET as
well, with its fields as parameters (lists are repeated, objects are JSON text). A refusal is a problem document
(RFC 9457) whose \`code\` is stable. Answers tell only what is durable.`;

export function openApi(operations: Operations, composition: Composition, version: string): object {
  const sorted = [...operations.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  const codes = codesByStatus(composition.faults);
  const statuses = [...codes.keys()];
  return {
    openapi: "3.1.0",
    info: {
      ...{ title: "Capstan", version, description: DESCRIPTION.replaceAll("\n", " ") },
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/", description: "The node that this was read from." }],
    security: [{ bearer: [] }],
    tags: tagsOf(sorted),
    paths: {
      ...Object.fromEntries(sorted.map((one) => [one.path, describePath(one, statuses)])),
      [`${PROBLEMS}/{code}`]: problemPath(),
    },
    components: {
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description: "A credential of a grant, as `capstan` and grant.create know it.",
        },
      },
      schemas: { ...sharedSchemas(codes), Fault: faultSchema, ...messageSchemas(sorted) },
      ...{ parameters, headers },
      responses: sharedResponses(codes),
    },
  };
}

function tagsOf(operations: readonly Operation[]): object[] {
  const plugins = new Map(operations.map(({ route }) => [route.resource, route.plugin.name]));
  return [...plugins].map(([name, plugin]) => ({ name, description: `Of the plugin ${plugin}.` }));
}

function messageSchemas(operations: readonly Operation[]): Record<string, JsonSchema> {
  return Object.assign({}, ...operations.map(schemasOf)) as Record<string, JsonSchema>;
}

const text = { type: "string" };
const faultSchema = {
  type: "object",
  description: "What a code of a problem means.",
  properties: {
    type: text,
    title: text,
    status: { type: "integer" },
    code: text,
    retryable: { type: "boolean" },
    text,
  },
  required: ["type", "title", "status", "code", "retryable", "text"],
};

function problemPath(): object {
  return {
    get: {
      ...{
        operationId: "problem_show",
        tags: ["problem"],
        summary: "Tell when a code is given, and what to do.",
        security: [],
      },
      parameters: [{ name: "code", in: "path", required: true, schema: text, example: "KEY_REUSED" }],
      responses: {
        200: { description: "The code.", content: { "application/json": { schema: ref("schemas", "Fault") } } },
        404: ref("responses", "Problem404"),
        default: {
          description: "Another problem.",
          content: { "application/problem+json": { schema: ref("schemas", "Problem") } },
        },
      },
    },
  };
}
