// The standard messages as their tables have them, for standard-messages.json: scripts/docs/messages.ts writes it, and a test keeps both
// equal.

import { kernelMessages, type MessageDefinition } from "@capstan/orchestrator";
import { standard } from "@capstan/plugins";
import { z } from "zod";
import type { DescribedMessage } from "./described.ts";

export function describedStandard(): DescribedMessage[] {
  const kernel = { name: "kernel", messages: kernelMessages };
  return [...standard(), kernel].flatMap(({ name: plugin, messages }) =>
    Object.entries(messages ?? {}).flatMap(([resource, verbs]) =>
      Object.entries(verbs as Readonly<Record<string, MessageDefinition>>)
        .filter(([, { internal }]) => !internal)
        .map(([verb, { kind, summary, data }]) => ({
          ...{ name: `${resource}.${verb}`, kind, summary, plugin },
          data: z.toJSONSchema(data, { io: "input", unrepresentable: "any" }),
        })),
    ),
  );
}
