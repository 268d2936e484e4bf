// The kernel's own fault table. docs/faults.md is generated from this and from the plugins' tables, and a test keeps
// both equal in both directions.

import type { FaultTable } from "./fault.ts";

/** The kernel's own faults. */
export const kernelFaults = {
  // The edge: nothing of these is logged, because nothing reached the pipeline.
  FRAME_INVALID: {
    status: 400,
    retryable: false,
    text: "The frame is no well-formed RPC message; nothing in it was done.",
  },
  REQUEST_MALFORMED: {
    status: 400,
    retryable: false,
    text: "The HTTP request's body is no JSON that says each thing once, or its query or a header is malformed; the text says where.",
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    retryable: false,
    text: "The path does not answer that HTTP method; the `Allow` header lists those that it does.",
  },
  NOT_ACCEPTABLE: {
    status: 406,
    retryable: false,
    text: "Answers are JSON, which the request's `Accept` does not take.",
  },
  MEDIA_TYPE_UNSUPPORTED: {
    status: 415,
    retryable: false,
    text: "A body is JSON, uncompressed, and says so: `Content-Type: application/json`.",
  },
  MESSAGE_INVALID: {
    status: 422,
    retryable: false,
    text: "The message's data does not fit its schema; `details` lists path and problem.",
  },
  MESSAGE_UNKNOWN: { status: 404, retryable: false, text: "No such resource or verb; the nearest one is named." },
  LIVE_UNAVAILABLE: {
    status: 409,
    retryable: false,
    text: "A callback needs a session that lasts, such as a WebSocket's, and ends with it.",
  },
  SESSION_REQUIRED: {
    status: 409,
    retryable: false,
    text: "The connection is for sessions that last, such as a WebSocket's; a batch is over with its answer.",
  },
  FORWARDED_BACK: {
    status: 508,
    retryable: false,
    text: "The call was forwarded in a circle: it came through this node, or through another one twice, before.",
  },
  UNAUTHENTICATED: {
    status: 401,
    retryable: false,
    text: "The request has no credential, or has it in another form than `Authorization: Bearer …`.",
  },
  MESSAGE_INTERNAL: { status: 403, retryable: false, text: "The message is internal: only the node itself sends it." },
  CREDENTIAL_INVALID: { status: 401, retryable: false, text: "The credential is unknown, revoked or expired." },
  SESSION_BUDGET: {
    status: 429,
    retryable: true,
    text: "The session used more than its budget and was ended; open a new one and ask for less at a time. Between nodes also one answer of a session that goes on, because too many others wait.",
  },
  ORIGIN_REFUSED: {
    status: 403,
    retryable: false,
    text: "The request's Origin or Host is not one that this node serves; see `--allow-origin` and `--allow-host`.",
  },
  TOO_LARGE: {
    status: 413,
    retryable: false,
    text: "The frame or body is larger than the door takes, the message's data than the log does, or the answer than a session or a frame between nodes may have.",
  },
  NOT_FOUND: { status: 404, retryable: false, text: "Nothing is at that path." },
  STOPPING: { status: 503, retryable: true, text: "The node is shutting down and takes nothing new." },
  // The pipeline.
  UNAUTHORIZED: { status: 403, retryable: false, text: "No plugin established an authority for the message." },
  KEY_REUSED: {
    status: 409,
    retryable: false,
    text: "The idempotency key was used for another message of the same principal; use a new key.",
  },
  FACTS_STALE: { status: 409, retryable: true, text: "What the decision was prepared with kept changing; try again." },
  PREPARE_TIMEOUT: { status: 504, retryable: true, text: "Preparing the decision took longer than its limit." },
  DEADLINE_EXCEEDED: { status: 504, retryable: false, text: "The deadline passed before the work was done." },
  HOPS_EXCEEDED: { status: 508, retryable: false, text: "The message is too many causes deep; a loop is likely." },
  FOLLOWUPS_EXCEEDED: {
    status: 508,
    retryable: false,
    text: "Deciding the message led to more messages than one commit may hold.",
  },
  OUTCOME_STALE: {
    status: 409,
    retryable: false,
    text: "The outcome names an effect, attempt or epoch that is no longer owed.",
  },
  HOLD_UNKNOWN: {
    status: 404,
    retryable: false,
    text: "No message is held under that id and hold, or not any more; the text says what ended it.",
  },
  MESSAGE_NOT_FOUND: {
    status: 404,
    retryable: false,
    text: "The log holds no message of that id that the caller may see.",
  },
  CANCELLED: { status: 409, retryable: false, text: "The work was cancelled before it was done." },
  LOG_UNAVAILABLE: {
    status: 503,
    retryable: true,
    text: "The log could not be written; nothing was done. Reads go on, and writes work again once the disk does.",
  },
  KEY_FIXED: {
    status: 409,
    retryable: false,
    text: "The node's key is not kept in files, and so cannot be rotated: it was given by whoever embeds the node.",
  },
  KEY_ROTATING: { status: 409, retryable: false, text: "The node's key is being rotated already." },
  HISTORY_GONE: {
    status: 410,
    retryable: false,
    text: "The log was compacted: it no longer keeps entries that old. `details.first` is the oldest that it keeps.",
  },
  LOG_COMPACTING: { status: 409, retryable: true, text: "The log is being compacted already; attach to that." },
  REDACT_LIVE: {
    status: 409,
    retryable: false,
    text: "A row that the part wrote is still in force, and only it says so; `details.rows` names those. Change them first.",
  },
  REDACT_OPEN: {
    status: 409,
    retryable: false,
    text: "The entry's message is still owed, held or pending: what it says is needed until that is over.",
  },
  PART_ERASED: {
    status: 410,
    retryable: false,
    text: "The part was erased, or never was; `details.by` is the entry that erased it, where there is one.",
  },
  INTERNAL: {
    status: 500,
    retryable: false,
    text: "A bug in the kernel or a plugin; nothing was done. The server's log names it.",
  },
  // Proofs: what is verified is not what it says it is.
  RECEIPT_INVALID: { status: 422, retryable: false, text: "The text is no receipt; docs/log-format.md says what is." },
  ENTRY_INVALID: {
    status: 422,
    retryable: false,
    text: "An entry's text is not what was logged: a part does not fit its digest, or the header is malformed.",
  },
  CHECKPOINT_INVALID: { status: 422, retryable: false, text: "The text is no checkpoint, or no signed note." },
  SIGNATURE_INVALID: {
    status: 422,
    retryable: false,
    text: "No key that is trusted signed the checkpoint, or the signature of one of them is wrong.",
  },
  PROOF_INVALID: {
    status: 422,
    retryable: false,
    text: "The hashes do not lead to the root that was signed: the entry is not in that log, or was altered.",
  },
  VERIFIER_KEY_INVALID: {
    status: 422,
    retryable: false,
    text: "The text is no verifier key; it is the one line of the node's `node.pub`.",
  },
  // Between processes on the node's own files.
  REQUEST_INVALID: {
    status: 400,
    retryable: false,
    text: "The file that asks the node for something is not its owner's, not signed by its key, or too old.",
  },
  REQUEST_UNANSWERED: {
    status: 504,
    retryable: true,
    text: "The running node did not take the request up; look at its log, or stop it and ask again.",
  },
  // Start.
  CONFIG_UNKNOWN: {
    status: 500,
    retryable: false,
    text: "A configuration key is unknown or its value does not fit; the text names it and the nearest key.",
  },
  PORT_IN_USE: {
    status: 500,
    retryable: false,
    text: "Another process listens on the address; choose another with `--listen`.",
  },
  ADDRESS_REFUSED: {
    status: 500,
    retryable: false,
    text: "The address is reachable from outside this machine; ask for that with `--public`.",
  },
  KEY_FILE_INVALID: { status: 500, retryable: false, text: "The node's key file is not a key, or others may read it." },
  KEY_RETIRED: {
    status: 500,
    retryable: false,
    text: "The log has retired the node's key, and the newer one is not there; the text says what to do.",
  },
  TLS_INVALID: {
    status: 500,
    retryable: false,
    text: "The TLS certificate or its key is missing, cannot be read, or the two do not belong together; the text names the file.",
  },
  CERTIFICATE_PIN_REFUSED: {
    status: 502,
    retryable: false,
    text: "The server is not served under the certificate that is pinned for it. Ask its operator for the pin in force; nothing was sent.",
  },
  IROH_UNAVAILABLE: {
    status: 500,
    retryable: false,
    text: "iroh was asked for and cannot be loaded or opened on this machine; the text says why. Without it the node is as good as with it.",
  },
  IROH_ADDRESS_INVALID: {
    status: 422,
    retryable: false,
    text: "An address of iroh's is not `iroh://<node id>` with `addr` or `relay`; the text says what is wrong.",
  },
  COMPOSITION_INVALID: {
    status: 500,
    retryable: false,
    text: "The plugins do not fit together in this order; the text says which and why.",
  },
  RESTORE_OVER_DATA: {
    status: 409,
    retryable: false,
    text: "The data directory has a log already; `--replace` moves it aside. Nothing was changed.",
  },
  LOG_LOCKED: { status: 500, retryable: false, text: "Another process has the data directory open." },
  LOG_NEWER: { status: 500, retryable: false, text: "The log was written by a newer version of Capstan." },
  LOG_DAMAGED: {
    status: 500,
    retryable: false,
    text: "The log's file is damaged. What is whole is read, nothing is written; restore a backup, or see `capstan log salvage`.",
  },
} as const satisfies FaultTable;

export type KernelFaultCode = keyof typeof kernelFaults;
