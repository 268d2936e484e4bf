// The plugins' front door: the parts of a pipeline, and what the operator's own actions are made with.

export { auth } from "./auth/auth.ts";
export { credentialDigest } from "./auth/credential.ts";
export {
  localRequests,
  type OfflineOptions,
  type Recovered,
  type RequestOptions,
  recoverOffline,
  requestRecovery,
} from "./auth/recover.ts";
export { type GrantChange, rehearsedGrant } from "./auth/rehearsed-grant.ts";
export { authFaults } from "./auth/schema.ts";
export { deadLetter } from "./dead-letter/dead-letter.ts";
export {
  type DeadLetter,
  type DeadLetters,
  deadLetterFaults,
  deadLetters,
} from "./dead-letter/schema.ts";
export type { BunTest, ConformanceCase, ConformanceOptions } from "./executor/conformance/conformance-options.ts";
export { protocolConformance } from "./executor/conformance/protocol-conformance.ts";
export { type ExecutorOptions, executor } from "./executor/executor.ts";
export { type HttpOptions, http } from "./executor/http/http.ts";
export { httpFaults } from "./executor/http/http-faults.ts";
export { defineAction } from "./executor/module/define-action.ts";
export { defineReceiver } from "./executor/module/define-receiver.ts";
export { type ModuleOptions, module } from "./executor/module/module.ts";
export { supplyModules } from "./executor/module/supply-modules.ts";
export { type ProcessOptions, process } from "./executor/process/process.ts";
export { processFaults } from "./executor/process/process-faults.ts";
export {
  type Call,
  defineProtocol,
  type Protocol,
  type ProtocolDefinition,
  type PublicationInfo,
} from "./executor/protocol.ts";
export { type Protocols, protocols, type Run } from "./executor/protocols.ts";
export { executorFaults } from "./executor/schema.ts";
export { scriptFaults } from "./executor/script/schema.ts";
export { type ScriptOptions, script } from "./executor/script/script.ts";
export { secret, secretOr } from "./executor/secret/secret.ts";
export type { SecretSources } from "./executor/secret/secret-sources.ts";
export { templateFaults } from "./executor/template/template.ts";
export { ledger } from "./ledger/ledger.ts";
export { ledgerFaults } from "./ledger/schema.ts";
export { type PeeringOptions, peerPropagation } from "./peer-propagation/peer-propagation.ts";
export { peerFaults } from "./peer-propagation/schema.ts";
export { type Arrival, importOf } from "./publisher/elsewhere/arrival.ts";
export {
  type FarPublication,
  type TopicCarrier,
  type TopicPage,
  type TopicRead,
  type Topics,
  type TopicWay,
  topics,
} from "./publisher/elsewhere/topics.ts";
export type { Publication } from "./publisher/publication.ts";
export { type PublisherOptions, publisher } from "./publisher/publisher.ts";
export { type Batch, publisherFaults } from "./publisher/schema.ts";
export {
  type Carried,
  type CarriedCall,
  type Carrier,
  type Elsewhere,
  type ElsewhereRow,
  elsewhere,
} from "./registry/elsewhere.ts";
export { compileSchema, shape } from "./registry/json-schema.ts";
export { registry } from "./registry/registry.ts";
export { type ActionRow, actions, registryFaults, type Task } from "./registry/schema.ts";
export { type StandardMessages, standard } from "./standard.ts";
