// The kernel's own fault table. docs/faults.md is generated from this and from the plugins' tables, and a test keeps
// both equal in both directions.

import type { FaultTable } from "./fault.ts";

export const kernelFaults = {
  // The edge: nothing of these is logged, because nothing reached the pipeline.
  FRAME_INVALID: {
    status: 400,
    retryable: false,
    text: "The frame is no well-formed RPC message; nothing in it was done.",
  },
  MESSAGE_INVALID: {
    status: 422,
    retryable: false,
    text: "The message's data does not fit its schema; `details` lists path and problem.",
  },
  MESSAGE_UNKNOWN: { status: 404, retryable: false, text: "No such resource or verb; the nearest one is named." },
  MESSAGE_INTERNAL: { status: 403, retryable: false, text: "The message is internal: only the node itself sends it." },
  CREDENTIAL_INVALID: { status: 401, retryable: false, text: "The credential is unknown, revoked or expired." },
  SESSION_BUDGET: {
    status: 429,
    retryable: true,
    text: "The session used more than its budget and was ended; open a new one and ask for less at a time.",
  },
  ORIGIN_REFUSED: {
    status: 403,
    retryable: false,
    text: "The request's Origin or Host is not one that this node serves; see `--allow-origin` and `--allow-host`.",
  },
  TOO_LARGE: { status: 413, retryable: false, text: "The frame or body is larger than the door takes." },
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
  HOLD_UNKNOWN: { status: 404, retryable: false, text: "No message is held under that id and hold." },
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
  INTERNAL: {
    status: 500,
    retryable: false,
    text: "A bug in the kernel or a plugin; nothing was done. The server's log names it.",
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
  COMPOSITION_INVALID: {
    status: 500,
    retryable: false,
    text: "The plugins do not fit together in this order; the text says which and why.",
  },
  LOG_LOCKED: { status: 500, retryable: false, text: "Another process has the data directory open." },
  LOG_NEWER: { status: 500, retryable: false, text: "The log was written by a newer version of Capstan." },
  LOG_DAMAGED: {
    status: 500,
    retryable: false,
    text: "The log's file is damaged or truncated; restore it from a backup.",
  },
} as const satisfies FaultTable;

export type KernelFaultCode = keyof typeof kernelFaults;
