// Messages as a command line sees them: name, summary, and the JSON Schema of their data. The standard ones are known
// without a server; a running server lists its own, its plugins' included.

import { kernelMessages, type MessageDefinition } from "@capstan/orchestrator";
import { z } from "zod";

export interface DescribedMessage {
  /** `action.perform` */
  readonly name: string;
  readonly kind: string;
  readonly summary: string;
  readonly plugin: string;
  /** JSON Schema. */
  readonly data: unknown;
}

/** The messages of the kernel and of the standard plugins. */
export async function standardMessages(): Promise<DescribedMessage[]> {
  const { standard } = await import("@capstan/plugins");
  const kernel = { name: "kernel", messages: kernelMessages };
  return [...standard(), kernel].flatMap(({ name: plugin, messages }) =>
    Object.entries(messages ?? {}).flatMap(([resource, verbs]) =>
      Object.entries(verbs as Readonly<Record<string, MessageDefinition>>).flatMap(
        ([verb, { kind, summary, data, internal }]) =>
          internal
            ? []
            : [
                {
                  name: `${resource}.${verb}`,
                  kind,
                  summary,
                  plugin,
                  data: z.toJSONSchema(data, { io: "input", unrepresentable: "any" }),
                },
              ],
      ),
    ),
  );
}

export function resourceOf({ name }: DescribedMessage): string {
  return name.slice(0, name.indexOf("."));
}

export function verbOf({ name }: DescribedMessage): string {
  return name.slice(name.indexOf(".") + 1);
}
