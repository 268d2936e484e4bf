// The kernel's front door. Whatever is not named here is inside, and may change.

export { type Fault, FaultError, type FaultRow, type FaultTable, fault, faultOf } from "./fault/fault.ts";
export { kernelFaults } from "./fault/kernel-faults.ts";
export { printable } from "./fault/printable.ts";
export { type DecodedEntry, decodeEntry, type Part } from "./log/entry.ts";
export type { AppendResult, Awaitable, Log, NewEntry, RowChange, StoredEntry, StoredRow } from "./log/log.ts";
export { memoryLog } from "./log/memory-log.ts";
export { sqliteLog } from "./log/sqlite-log.ts";
export {
  command,
  type MessageDefinition,
  type MessageKind,
  type MessageTable,
  query,
  signal,
} from "./message/definition.ts";
export { siblingId, timeOfId } from "./message/id.ts";
export {
  type CallOptions,
  type Envelope,
  type Facts,
  type Message,
  messageName,
  NODE_GRANT,
  namespaceOf,
  type Principal,
} from "./message/message.ts";
export { nearest } from "./message/nearest.ts";
export { nameSchema, parse } from "./message/parse.ts";
export { createOrchestrator, type Observer, type Orchestrator, type OrchestratorOptions } from "./orchestrator.ts";
export { type Explanation, explain, type PluginExplanation } from "./pipeline/explain.ts";
export { entryOf, outcomeOf } from "./pipeline/outcomes.ts";
export type { Body, Trace } from "./pipeline/recorder.ts";
export { systemTimers, type Timers } from "./pipeline/timers.ts";
export type { Composition, Route } from "./plugin/composition.ts";
export type { MessagesOf, Ordered } from "./plugin/order.ts";
export {
  type AnyPlugin,
  type Connection,
  type Connections,
  type Door,
  defineConnection,
  definePlugin,
  type EffectHandler,
  type EffectHandlers,
  type EffectRuntime,
  type Logger,
  type LostEffect,
  type NodeInfo,
  type OwedEffect,
  type Plugin,
  type PluginContext,
  type PluginDescription,
  type Reader,
} from "./plugin/plugin.ts";
export {
  done,
  type Effect,
  type FollowUp,
  type Hold,
  hold,
  next,
  type PluginResult,
  refuse,
  type Settled,
} from "./plugin/result.ts";
export { type Authority, authority, type Token, type TokenValues, token } from "./plugin/token.ts";
export { defaultLimits, type SessionLimits } from "./rpc/limits.ts";
export type { Caller, Scope } from "./scope/scope.ts";
export { DEFAULT_LISTEN } from "./server/address.ts";
export { type Config, configKeys, defineConfig, parseConfig } from "./server/config.ts";
export { createLogger, type LogOptions, type NodeLog } from "./server/logger.ts";
export { type Node, openNode } from "./server/node-key.ts";
export { type ServeOptions, type Serving, serve } from "./server/serve.ts";
export type { Change, State } from "./state/state.ts";
export { type Table, table } from "./state/table.ts";
