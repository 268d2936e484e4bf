// The kernel's own messages, as the last step of every pipeline: attach (which the hub answers) and settle, the list of what
// can be asked, and the two internal ones by which a node adopts a composition and takes over what a dead epoch owed. What
// `settle` then leads to is the tip's to do.

import { z } from "zod";
import type { MessageDefinition } from "../message/definition.ts";
import { kernelMessages } from "../message/kernel-messages.ts";
import type { Message } from "../message/message.ts";
import { type AnyPlugin, definePlugin, type LostEffect } from "../plugin/plugin.ts";
import { done, type FollowUp, next, refuse } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import type { State } from "../state/state.ts";
import { effectTable, holdTable, pipelineTable } from "./kernel-tables.ts";

/** How many owed effects one `node.expire` takes over: an entry is bounded; the node asks until none is left. */
const EXPIRE_AT_ONCE = 100;

export interface KernelPluginParts {
  list(): readonly { readonly name: string; readonly definition: MessageDefinition; readonly plugin: string }[];
  /** What is recorded of an effect when nobody can know whether it ran. */
  lost(plugin: string, effect: LostEffect): Message | undefined;
}

export function kernelPlugin(parts: KernelPluginParts): AnyPlugin {
  const plugin = definePlugin({
    name: "kernel",
    needs: [authority],
    messages: kernelMessages,
    tables: [effectTable, holdTable, pipelineTable],
    decide({ message, state }) {
      if (message.resource === "message" && message.action === "settle") {
        const { id, hold } = message.data as { id: string; hold: string };
        const held = state.get(holdTable, id);
        if (held === undefined || held.hold.name !== hold)
          return refuse("HOLD_UNKNOWN", `${id} is not held by "${hold}"`);
        return done({ data: { id }, state: state.remove(holdTable, id) });
      }
      if (message.resource === "pipeline" && message.action === "adopt") {
        const { digest, plugins, entry } = message.data as { digest: string; plugins: never[]; entry: number };
        return done({ state: state.put(pipelineTable, String(entry).padStart(16, "0"), { digest, plugins }) });
      }
      if (message.resource === "node" && message.action === "expire") {
        return expire(state, message.data as { node: string; epoch: number; to: number }, parts);
      }
      return next();
    },
    answer: {
      "message.list": () =>
        parts.list().flatMap(({ name, definition, plugin }) =>
          definition.internal
            ? []
            : [
                {
                  name,
                  kind: definition.kind,
                  summary: definition.summary,
                  plugin,
                  data: jsonSchemaOf(definition.data),
                },
              ],
        ),
    },
  });
  return plugin;
}

/** Replayable effects change hands; of the others nobody can know whether they ran. */
function expire(
  state: State,
  { node, epoch, to }: { node: string; epoch: number; to: number },
  parts: KernelPluginParts,
) {
  let after = state;
  const then: FollowUp[] = [];
  let taken = 0;
  let left = 0;
  for (const [id, row] of state.rows(effectTable)) {
    if (row.node !== node || row.epoch > epoch) continue;
    const { kind, data, attempt, owing } = row;
    const message = row.replayable ? undefined : parts.lost(row.plugin, { id, kind, data, attempt, owing });
    // Without the plugin that owed it the effect stays as it is, until a composition has that plugin again.
    if (!row.replayable && message === undefined) continue;
    if (taken === EXPIRE_AT_ONCE) {
      left++;
      continue;
    }
    taken++;
    after = row.replayable ? after.put(effectTable, id, { ...row, epoch: to }) : after.remove(effectTable, id);
    if (message !== undefined) then.push({ message });
  }
  return done({ data: { left }, state: after, then });
}

function jsonSchemaOf(schema: z.ZodType): unknown {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
}
