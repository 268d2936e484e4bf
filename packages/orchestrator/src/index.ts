// The kernel's front door. Whatever is not named here is inside, and may change.

export { type BackedUp, type BackupOptions, backUp } from "./backup/backup.ts";
export type { BackupSource, ExportPage } from "./backup/backup-source.ts";
export { logSource } from "./backup/log-source.ts";
export { type Restored, type RestoreOptions, restoreLog } from "./backup/restore.ts";
export { keysAdmittedBy, StoppedLog } from "./backup/stopped-log.ts";
export { Unwritable } from "./backup/unwritable.ts";
export type { OpenedSession, RemoteApi, SessionAddress } from "./client.ts";
export { type Fault, FaultError, type FaultRow, type FaultTable, fault, faultOf } from "./fault/fault.ts";
export { kernelFaults } from "./fault/kernel-faults.ts";
export { printable } from "./fault/printable.ts";
export type { Problem } from "./fault/problem.ts";
export { proven } from "./fault/proof-fault.ts";
export { type DecodedEntry, decodeEntry } from "./log/entry.ts";
export type { AppendResult, Awaitable, Log, NewEntry, RowChange, StoredEntry, StoredRow } from "./log/log.ts";
export { memoryLog } from "./log/memory/memory-log.ts";
export type { Part } from "./log/part.ts";
export { sqliteLog } from "./log/sqlite/sqlite-log.ts";
export {
  addressed,
  command,
  entryNumberOf,
  FINAL,
  JOINS,
  type MessageDefinition,
  type MessageKind,
  type MessageTable,
  query,
  signal,
} from "./message/definition.ts";
export { forwardedBy } from "./message/forwarded.ts";
export { siblingId, timeOfId } from "./message/id.ts";
export { kernelMessages } from "./message/kernel-messages.ts";
export {
  type CallOptions,
  deepFreeze,
  type Envelope,
  type Facts,
  type ForwardedOptions,
  LONGEST_TIMEOUT,
  type Message,
  messageName,
  NODE_GRANT,
  namespaceOf,
  type Principal,
} from "./message/message.ts";
export type { NodeMetrics } from "./message/metrics-schema.ts";
export { nearest } from "./message/nearest.ts";
export { nameSchema, parse, parseForwarded } from "./message/parse.ts";
export { replaceFile } from "./notary/checkpoint-writer.ts";
export { type CosignedCheckpoint, CosignedCheckpoints } from "./notary/cosigned-checkpoints.ts";
export type { NodeSigner, Succession } from "./notary/node-signer.ts";
export { verifyRotation } from "./notary/rotation-statement.ts";
export { keyName } from "./notary/signer.ts";
export type { Observer } from "./observability/observe-decisions.ts";
export { openTracer } from "./observability/open-tracer.ts";
export type { TracedEffect, Tracer } from "./observability/tracer.ts";
export type { OtelConfig, TracerOptions } from "./observability/tracer-options.ts";
export { createOrchestrator, type Orchestrator, type OrchestratorOptions } from "./orchestrator.ts";
export { erasedBy } from "./pipeline/erased-by.ts";
export { type Explanation, explain, type PluginExplanation } from "./pipeline/explain/explain.ts";
export { messageOfRequest, messageUnderKey } from "./pipeline/explain/message-under-key.ts";
export { type HeldMessage, heldMessage, heldMessages } from "./pipeline/held-message.ts";
export { decidedAs, entryAt, entryOf, outcomeOf } from "./pipeline/outcomes.ts";
export type { Body, Trace } from "./pipeline/recorder.ts";
export { firstSince } from "./pipeline/upkeep/first-since.ts";
export type { Composition, Route } from "./plugin/composition.ts";
export {
  type Challenge,
  type Challenged,
  type Connection,
  type ConnectionSession,
  type Connections,
  defineConnection,
  type Verified,
} from "./plugin/connection.ts";
export type { MessagesOf, Ordered } from "./plugin/order.ts";
export {
  type AnyPlugin,
  type DialOptions,
  type Door,
  type DoorContext,
  definePlugin,
  type EffectHandler,
  type EffectHandlers,
  type EffectRuntime,
  type FollowedRow,
  type Identity,
  type Live,
  type Logger,
  type LostEffect,
  type Origin,
  type OwedEffect,
  type Plugin,
  type PluginContext,
  type PluginDescription,
  type PluginRuntime,
} from "./plugin/plugin.ts";
export type { NodeInfo, Proofs, Reader } from "./plugin/reader.ts";
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
export { type Authority, authority, type Right, type Token, type TokenValues, token } from "./plugin/token.ts";
export {
  type Checkpoint,
  type CheckpointKey,
  formatCheckpoint,
  parseCheckpoint,
  verifyCheckpoint,
} from "./proof/checkpoint.ts";
export { type Continuation, proofBeginsAt, verifyContinuation } from "./proof/continuation.ts";
export {
  type Cosignature,
  cosigned,
  formatWitnessKey,
  parseWitnessKey,
  signedBy,
  verifyCosignatures,
  type WitnessKey,
  witnessKeyOf,
} from "./proof/cosignature.ts";
export { type CheckedEntry, checkEntry, contentName, type EntryHeader, type EntryPart } from "./proof/entry-check.ts";
export { LEAVES_KEPT, LeafWindow } from "./proof/leaf-window.ts";
export { CompactRange, leafHash, nodeHash, verifyConsistency, verifyInclusion } from "./proof/merkle.ts";
export {
  formatVerifierKey,
  openNote,
  parseVerifierKey,
  type Signer,
  signNote,
  type VerifierKey,
  verifierOf,
} from "./proof/note.ts";
export { type ProofCode, ProofError } from "./proof/proof-error.ts";
export { RECEIPT_FORMAT, type Receipt, type VerifiedReceipt, verifyReceipt } from "./proof/receipt.ts";
export { type FileHistory, fileHistory } from "./rehearsal/file-history.ts";
export type { Judgement } from "./rehearsal/judgement.ts";
export { type RehearseOptions, rehearse } from "./rehearsal/rehearse.ts";
export type { Difference, Rehearsal, Undecidable } from "./rehearsal/report.ts";
export type { RowOverride } from "./rehearsal/row-override.ts";
export type { History } from "./rehearsal/survey.ts";
export { defaultLimits, type SessionLimits } from "./rpc/limits.ts";
export type { Caller } from "./scope/caller.ts";
export type { AddressedScope, Scope } from "./scope/scope-type.ts";
export { checkMeant, DEFAULT_LISTEN, parseAddress } from "./server/address.ts";
export { type Config, configKeys, defineConfig, parseConfig } from "./server/config.ts";
export type { IrohOptions } from "./server/iroh.ts";
export {
  type AnswerOptions,
  type AskOptions,
  answerLocally,
  askLocally,
  type LocalRequests,
} from "./server/local-request.ts";
export { createLogger, type LogOptions, type NodeLog } from "./server/logger.ts";
export { type Node, openNode, readNodeKey, readNodeSeed } from "./server/node-key.ts";
export { type ServeOptions, type Serving, serve } from "./server/serve.ts";
export { readTls, type TlsFiles, tlsFiles } from "./server/tls.ts";
export type { Change, State } from "./state/state.ts";
export { type Repeatable, type Routable, type Table, type TableOptions, table } from "./state/table.ts";
export { systemTimers, type Timers } from "./time/timers.ts";
export { certificatePin, isPin } from "./transport/pin/certificate-pin.ts";
export { type PinnedTls, pinnedDial, pinnedTls } from "./transport/pin/pinned.ts";
export { type Salvaged, salvageLog } from "./verification/salvage.ts";
export { type Verification, verificationText } from "./verification/verification.ts";
export { verifyExport } from "./verification/verify-export.ts";
export { type VerifyOptions, verifyLogFile } from "./verification/verify-file.ts";
export type { WitnessedLog } from "./verification/witnessed-log.ts";
