// An example of a message's data: its required fields, each as simple as its schema lets it be. One that the message's own schema
// does not take is none.

import type { JsonSchema } from "../fields.ts";
import type { Operation } from "../operation.ts";

export function exampleOf({ route, data }: Operation): unknown {
  const example = simplest(data);
  return route.definition.data.safeParse(example).success ? example : undefined;
}

function simplest(schema: JsonSchema): unknown {
  const { type, enum: values, const: value, minimum, properties, required, items, minItems } = schema;
  if (value !== undefined) return value;
  if (Array.isArray(values)) return values[0];
  switch ([type].flat()[0]) {
    case "string":
      return "example";
    case "integer":
    case "number":
      return Math.max(1, typeof minimum === "number" ? minimum : 1);
    case "boolean":
      return true;
    case "array":
      return typeof minItems === "number" && minItems > 0 ? [simplest((items ?? {}) as JsonSchema)] : [];
    case "object": {
      const fields = (properties ?? {}) as Readonly<Record<string, JsonSchema>>;
      return Object.fromEntries(((required ?? []) as string[]).map((name) => [name, simplest(fields[name] ?? {})]));
    }
    default:
      return {};
  }
}
