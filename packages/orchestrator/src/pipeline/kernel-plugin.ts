// The kernel's own messages, as the last step of every pipeline: attach (which the hub answers) and settle, the list of what
// can be asked, and the internal ones by which a node adopts a composition and takes over what a dead epoch owed. What
// `settle` then leads to is the tip's to do; how keys follow one another and what
// is done to the log itself, notary/key-rotation.ts, decide-compaction.ts and decide-redaction.ts say.

import { z } from "zod";
import type { Fault } from "../fault/fault.ts";
import type { Restoration } from "../log/log.ts";
import { entryNumberOf, type MessageDefinition } from "../message/definition.ts";
import { kernelMessages } from "../message/kernel-messages.ts";
import { type Message, messageName } from "../message/message.ts";
import type { NodeMetrics } from "../message/metrics-schema.ts";
import { admitted, decideRotate, decideRotated } from "../notary/key-rotation.ts";
import {
  type AnyPlugin,
  definePlugin,
  type EffectHandlers,
  type LostEffect,
  type PluginContext,
} from "../plugin/plugin.ts";
import { done, type FollowUp, next, type PluginResult, refuse } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import type { State } from "../state/state.ts";
import type { EndedHold } from "./held-message.ts";
import {
  ENDED_HOLD,
  effectTable,
  erasureTable,
  holdTable,
  nodeKeyTable,
  numberKey,
  type PipelineRow,
  pipelineTable,
  restorationTable,
} from "./kernel-tables.ts";
import { decideCompact, decideTrimmed } from "./upkeep/decide-compaction.ts";
import { decideRedact } from "./upkeep/decide-redaction.ts";

/** How many owed effects one `node.expire` takes over: an entry is bounded; the node asks until none is left. */
const EXPIRE_AT_ONCE = 100;

export interface KernelPluginParts {
  list(): readonly { readonly name: string; readonly definition: MessageDefinition; readonly plugin: string }[];
  /** What is recorded of an effect when nobody can know whether it ran. */
  lost(plugin: string, effect: LostEffect): Message | undefined;
  /** What `node.metrics` answers. */
  readonly metrics?: () => NodeMetrics;
  /** What the kernel's own commands need to know and to carry out. None where nothing is carried out. */
  readonly prepare?: AnyPlugin["prepare"];
  readonly effects?: EffectHandlers;
}

type Decide = (context: PluginContext) => PluginResult;

export function kernelPlugin(parts: KernelPluginParts): AnyPlugin {
  const decisions: Readonly<Record<string, Decide>> = {
    "message.settle": settle,
    "message.fail": fail,
    "pipeline.adopt": adopt,
    "node.expire": ({ state, message }) => expire(state, message.data as Parameters<typeof expire>[1], parts),
    "key.rotate": decideRotate,
    "key.rotated": decideRotated,
    "log.compact": decideCompact,
    "log.trimmed": decideTrimmed,
    "log.redact": decideRedact,
    "log.restored": restored,
  };
  const plugin = definePlugin({
    name: "kernel",
    needs: [authority],
    messages: kernelMessages,
    tables: [effectTable, holdTable, pipelineTable, nodeKeyTable, erasureTable, restorationTable],
    prepare: parts.prepare ?? {},
    decide: (context) => {
      const name = messageName(context.message);
      return Object.hasOwn(decisions, name) ? (decisions[name] as Decide)(context) : next();
    },
    effects: parts.effects ?? {},
    answer: {
      "node.metrics": () => parts.metrics?.(),
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

function settle({ message, envelope, state }: PluginContext) {
  const { id, hold } = message.data as { id: string; hold: string };
  const held = state.get(holdTable, id);
  if (held?.hold.name === hold) return done({ data: { id }, state: state.remove(holdTable, id) });
  const ended = envelope.facts[ENDED_HOLD] as EndedHold | undefined;
  if (held !== undefined || ended === undefined) return refuse("HOLD_UNKNOWN", `${id} is not held by "${hold}"`);
  const { entry, id: by, message: name, principal, again } = ended;
  const how = again ? `it was settled before, and decided again as ${by}` : `${principal} ended that by ${name} ${by}`;
  return refuse("HOLD_UNKNOWN", `${id} is held no more: ${how} (entry ${entry})`, { details: { entry, message: by } });
}

function fail({ message }: PluginContext) {
  return done({ settles: [message.data as { id: string; error: Fault }] });
}

function adopt({ message, envelope, state }: PluginContext) {
  const { entry, key, ...row } = message.data as PipelineRow & { entry: number; key?: string };
  const after = state.put(pipelineTable, numberKey(entry), row);
  return done({ state: key === undefined ? after : admitted(after, envelope.node, key, entry) });
}

function restored({ message, envelope, state }: PluginContext) {
  const row = { ...(message.data as Restoration), entry: entryNumberOf(envelope) };
  return done({ state: state.put(restorationTable, numberKey(row.epoch), row) });
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
