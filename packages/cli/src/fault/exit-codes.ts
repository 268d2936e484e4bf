// What the program ends with: sysexits.h, so that a script can tell a typing mistake from a refusal from a server that is
// away. A fault whose code is not named here ends with 1.

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 64,
  data: 65,
  unavailable: 69,
  internal: 70,
  cannotCreate: 73,
  tryAgain: 75,
  notVerified: 76,
  refused: 77,
  config: 78,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** For `capstan help exit-codes`. */
export const exitCodeMeanings: readonly (readonly [ExitCode, string])[] = [
  [exitCodes.ok, "done"],
  [
    exitCodes.failed,
    "a fault that is none of the below (an action failed, a name is unknown, a revision conflicts), or rehearse found a difference",
  ],
  [exitCodes.usage, "the command line is wrong"],
  [exitCodes.data, "input, message, batch, file or log is not valid"],
  [exitCodes.unavailable, "no server answers, its log cannot be written, or the port or the data directory is in use"],
  [exitCodes.internal, "a bug, here or in the server"],
  [exitCodes.cannotCreate, "a file cannot be made, or standard output cannot be written"],
  [exitCodes.tryAgain, "the same call may succeed later"],
  [
    exitCodes.notVerified,
    "what was verified is not what it should be: a log that is damaged or altered, a server's certificate",
  ],
  [exitCodes.refused, "refused: no credential, a wrong one, or a grant that does not cover what was asked"],
  [exitCodes.config, "the configuration does not fit, or the data directory is of a newer version"],
];

const codes: Readonly<Record<ExitCode, readonly string[]>> = {
  0: [],
  1: [],
  64: ["USAGE_INVALID"],
  65: [
    ...["INPUT_INVALID", "MESSAGE_INVALID", "MESSAGE_UNKNOWN", "FRAME_INVALID", "JSON_INVALID", "BATCH_INVALID"],
    ...[
      "CURSOR_INVALID",
      "IROH_ADDRESS_INVALID",
      "SCHEMA_INVALID",
      "MAY_UNSAID",
      "CONFIG_INVALID",
      "PROTOCOL_UNKNOWN",
      "TOO_LARGE",
      "FILE_UNREADABLE",
      "LOG_DAMAGED",
    ],
    ...["MODULE_NOT_FOUND", "MODULE_OUTSIDE", "MODULE_INVALID", "MODULE_CHANGED"],
    ...["RECEIPT_INVALID", "ENTRY_INVALID", "CHECKPOINT_INVALID", "SIGNATURE_INVALID", "PROOF_INVALID"],
    ...["VERIFIER_KEY_INVALID", "INVITE_INVALID", "PEER_INVALID"],
  ],
  69: ["UNREACHABLE", "LOG_UNAVAILABLE", "PORT_IN_USE", "LOG_LOCKED", "REQUEST_UNANSWERED", "PEER_NOT_ESTABLISHED"],
  70: ["INTERNAL", "ANSWER_INVALID"],
  73: ["FILE_UNWRITABLE", "RESTORE_OVER_DATA", "CONTEXT_EXISTS"],
  75: [
    "WITNESS_PENDING",
    ...["STOPPING", "SESSION_BUDGET", "FACTS_STALE", "PREPARE_TIMEOUT", "ACTION_CHANGED", "INTERRUPTED"],
    ...["LOG_COMPACTING", "DETACHED", "CIRCUIT_OPEN", "FOLLOWER_SLOW", "FOLLOWER_FAILED", "SECRET_UNAVAILABLE"],
    ...["SCRIPT_BUSY", "STREAMS_EXCEEDED", "HTTP_UNAVAILABLE"],
    ...["ACTION_UNREACHABLE", "SCHEMAS_UNKNOWN", "PEER_UNREACHABLE", "PEER_SESSION_OVER"],
    ...["TOPIC_UNREACHABLE", "TOPIC_READS_EXCEEDED", "EXPLAINS_EXCEEDED", "PEER_CALLS_EXCEEDED"],
  ],
  76: ["CERTIFICATE_REFUSED", "CERTIFICATE_PIN_REFUSED"],
  77: [
    ...[
      "REFUSED",
      "NAMESPACE_REFUSED",
      "GRANT_UNKNOWN",
      "GRANT_REVOKED",
      "GRANT_EXPIRED",
      "GRANT_SPENT",
      "GRANT_WIDER",
    ],
    ...["GRANT_NOT_DELEGABLE", "CREDENTIAL_INVALID", "CREDENTIAL_MISSING", "ORIGIN_REFUSED", "UNAUTHORIZED"],
    ...["MESSAGE_INTERNAL", "HTTP_ADDRESS_REFUSED", "FILE_REFUSED", "PEER_UNPROVED", "ROUTE_NOT_EXPORTED"],
    "PRINCIPAL_RESERVED",
  ],
  78: [
    "CONFIG_UNKNOWN",
    "CONFIG_FILE_INVALID",
    ...["CONTEXT_UNKNOWN", "CONTEXTS_INVALID"],
    "COMPOSITION_INVALID",
    "KEY_FILE_INVALID",
    ...["NODE_KEY_MISSING", "KEY_RETIRED", "NODE_WITHOUT_FILES"],
    "ADDRESS_REFUSED",
    "LOG_NEWER",
    "TLS_INVALID",
    "IROH_UNAVAILABLE",
  ],
};

const byFault = new Map(
  Object.entries(codes).flatMap(([exit, faults]) => faults.map((code) => [code, Number(exit) as ExitCode] as const)),
);

/** Codes that end with something else than 1. */
export const codesWithExit: readonly string[] = [...byFault.keys()];

export function exitCodeOf(code: string): ExitCode {
  return byFault.get(code) ?? exitCodes.failed;
}
