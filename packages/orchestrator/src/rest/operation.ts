// The messages that this door offers, each with its path, methods and schemas: all that a scope offers, except those that take a callback, which a
// request cannot pass.

import { z } from "zod";
import { FaultError, fault } from "../fault/fault.ts";
import { printable } from "../fault/printable.ts";
import { nearest } from "../message/nearest.ts";
import type { Composition, Route } from "../plugin/composition.ts";
import { type Fields, fieldsOf, inputSchema, type JsonSchema } from "./fields.ts";

export const PREFIX = "/v1";

/** Names of fields that take a page's `next`: the entry or name that the next page begins after, before or at. */
const PAGE_FIELDS = ["after", "before", "from"];

/** A message at this door. Its schemas are made when first needed: most nodes are asked for few messages. */
export class Operation {
  readonly route: Route;
  /** `/v1/action/perform` */
  readonly path: string;
  readonly methods: readonly string[];
  /** Whether its outcome may come later, so that it can be waited for and be pending. */
  readonly waits: boolean;
  #data: JsonSchema | undefined;
  #fields: Fields | undefined;
  #result: JsonSchema | undefined;

  constructor(route: Route) {
    const { kind } = route.definition;
    this.route = route;
    this.path = `${PREFIX}/${route.resource}/${route.verb}`;
    this.methods = kind === "query" ? ["GET", "HEAD", "POST", "OPTIONS"] : ["POST", "OPTIONS"];
    this.waits = kind === "command" || route.name === "message.attach";
  }

  get data(): JsonSchema {
    this.#data ??= inputSchema(this.route.definition.data);
    return this.#data;
  }

  get fields(): Fields {
    this.#fields ??= fieldsOf(this.data);
    return this.#fields;
  }

  get result(): JsonSchema {
    this.#result ??= resultSchema(this.route.definition.result);
    return this.#result;
  }

  /** Where the answer is a page: the field that takes the `next` of the page before. */
  get page(): string | undefined {
    const paged = Object.hasOwn((this.result.properties as object | undefined) ?? {}, "next");
    return paged ? PAGE_FIELDS.find((name) => this.fields.has(name)) : undefined;
  }
}

export type Operations = ReadonlyMap<string, Operation>;

/** By path, in the composition's order. */
export function operationsOf(composition: Composition): Operations {
  const operations = new Map<string, Operation>();
  for (const route of composition.routes.values()) {
    const { internal, live } = route.definition;
    if (internal || live !== undefined) continue;
    const operation = new Operation(route);
    operations.set(operation.path, operation);
  }
  return operations;
}

/** Results are not checked against their schemas, so that a schema may leave fields open. */
function resultSchema(schema: z.ZodType): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    ...{ io: "output", unrepresentable: "any" },
    override({ zodSchema, jsonSchema }) {
      if (zodSchema instanceof z.ZodObject && zodSchema.def.catchall === undefined)
        delete jsonSchema.additionalProperties;
    },
  });
  return rest;
}

/** @throws FaultError that says why nothing is offered at a path below the prefix, and names the nearest path */
export function unknownPath(pathname: string, operations: Operations, composition: Composition): never {
  const [resource = "", verb = "", ...more] = pathname.slice(PREFIX.length + 1).split("/");
  const shown = printable(pathname, 100);
  // Names are letters and digits: anything percent-encoded or in another place names nothing.
  const route = more.length === 0 ? composition.routes.get(`${resource}.${verb}`) : undefined;
  if (route?.definition.live !== undefined) {
    throw new FaultError(
      fault("MESSAGE_UNKNOWN", `${route.name} takes a callback, which needs a session: call it over /rpc`),
    );
  }
  if (route?.definition.internal) {
    throw new FaultError(fault("MESSAGE_INTERNAL", `${route.name} is internal: only the node itself sends it`));
  }
  const suggestion = nearest(`${resource}/${verb}`, [...operations.values()].map(nameInPath));
  const hint =
    suggestion === undefined ? "/openapi.json describes all there are" : `did you mean ${PREFIX}/${suggestion}?`;
  throw new FaultError(fault("MESSAGE_UNKNOWN", `nothing is at ${shown}; ${hint}`));
}

function nameInPath({ route }: Operation): string {
  return `${route.resource}/${route.verb}`;
}
