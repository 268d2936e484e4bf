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
export { executor } from "./executor/executor.ts";
export { defineAction } from "./executor/module/define-action.ts";
export { type ModuleOptions, module } from "./executor/module/module.ts";
export { supplyModules } from "./executor/module/supply-modules.ts";
export type { Call, Protocol } from "./executor/protocol.ts";
export { executorFaults } from "./executor/schema.ts";
export { ledger } from "./ledger/ledger.ts";
export { ledgerFaults } from "./ledger/schema.ts";
export { compileSchema, shape } from "./registry/json-schema.ts";
export { registry } from "./registry/registry.ts";
export { type ActionRow, actions, registryFaults } from "./registry/schema.ts";
export { type StandardMessages, standard } from "./standard.ts";
