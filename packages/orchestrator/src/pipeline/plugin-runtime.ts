// What a plugin is given for work of its own (`run`). What it sends goes through the same pipeline as every caller's messages.

import { FaultError, fault } from "../fault/fault.ts";
import type { Log } from "../log/log.ts";
import { identityOf } from "../notary/identity.ts";
import type { NodeSigner } from "../notary/node-signer.ts";
import type { Composition } from "../plugin/composition.ts";
import type { AnyPlugin, Logger, PluginRuntime } from "../plugin/plugin.ts";
import type { NodeInfo } from "../plugin/reader.ts";
import type { Token } from "../plugin/token.ts";
import type { LiveCallbacks } from "../scope/live-callbacks.ts";
import type { Timers } from "../time/timers.ts";
import { dialSession } from "../transport/dialled-session.ts";
import type { Committer } from "./committer.ts";
import type { Followers } from "./followers.ts";
import type { Hub } from "./hub.ts";
import type { TipReader } from "./reader.ts";
import { type RightParts, rightAsked, rightRefused } from "./right-asked.ts";

export interface RuntimeParts extends RightParts {
  readonly composition: Composition;
  readonly node: NodeInfo;
  readonly reader: TipReader;
  readonly committer: Committer;
  readonly hub: Hub;
  readonly lives: LiveCallbacks;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly log: Pick<Log, "epoch">;
  readonly followers: Followers;
  /** The node's key in force. */
  signer(): NodeSigner;
  now(): number;
}

export function pluginRuntime(parts: RuntimeParts, plugin: AnyPlugin): PluginRuntime {
  const { node, reader, committer, hub, lives, timers, logger, composition } = parts;
  return {
    ...{ node, reader, timers, log: logger, now: () => parts.now() },
    get durable() {
      return committer.durable;
    },
    onAdvance: (callback) => committer.onAdvance(callback),
    sendUnheld: (send) => committer.sendUnheld(send),
    apply: (message, as, options, origin) => hub.applyAs(message, as, options, origin),
    note: (message, origin) => hub.note(message, origin),
    allows: (right, as) => rightRefused(parts, right, as),
    authorize: (right, as) => rightAsked(parts, right, as),
    live: (reference) => lives.get(reference),
    routable: composition.routable,
    follow: (tables, callback) => parts.followers.add(tables, callback),
    identity: identityOf({
      ...{ node: node.id, plugin: plugin.name, epoch: parts.log.epoch },
      ...{ signs: plugin.signs ?? [], cosigns: plugin.cosigns === true },
      signer: () => parts.signer(),
    }),
    dial: (options) => dialSession(options, { durability: committer, timers, logger }),
    given<Value>({ name }: Token<string, Value>): Value {
      const given = composition.given[name];
      if (given !== undefined) return given as Value;
      throw new FaultError(
        fault("COMPOSITION_INVALID", `plugin "${plugin.name}" asks for "${name}", which no plugin gives`),
      );
    },
  };
}
