// Faults that the command line itself gives, before or instead of a server. docs/faults.md lists them with the others.

import type { FaultTable } from "@capstan/orchestrator/remote";

export const cliFaults = {
  USAGE_INVALID: {
    status: 400,
    retryable: false,
    text: "The command line is wrong: the text says where, and which word is nearest. See `capstan --help`.",
  },
  JSON_INVALID: {
    status: 422,
    retryable: false,
    text: "A JSON argument, or what was read in its place, is not JSON; the text says what it was for.",
  },
  BATCH_INVALID: {
    status: 422,
    retryable: false,
    text: "A line of a batch is wrong; the text names it. Nothing of the batch was sent.",
  },
  CONFIG_FILE_INVALID: {
    status: 500,
    retryable: false,
    text: "The configuration file does not load, or its default export is no configuration.",
  },
  FILE_UNREADABLE: { status: 422, retryable: false, text: "A file named on the command line cannot be read." },
  FILE_UNWRITABLE: {
    status: 409,
    retryable: false,
    text: "A file cannot be made: it is there already, or its directory does not take it. Nothing is overwritten. Or standard output cannot be written.",
  },
  INTERRUPTED: {
    status: 503,
    retryable: true,
    text: "The command was stopped before its end; nothing of it was kept.",
  },
  DETACHED: {
    status: 503,
    retryable: true,
    text: "The command was stopped while it waited for work that was accepted and goes on; `message attach` waits again.",
  },
  NODE_KEY_MISSING: {
    status: 409,
    retryable: false,
    text: "The data directory has no `node.key`: name the node's own, or put the key there; `restore --new-key` has another identity made.",
  },
  CREDENTIAL_MISSING: {
    status: 401,
    retryable: false,
    text: "There is no credential to ask with; pass `--token-file`.",
  },
  CERTIFICATE_REFUSED: {
    status: 502,
    retryable: false,
    text: "The server's certificate is not trusted here, or is of another name. Pass the one that it must come of with `--ca`.",
  },
  CONTEXT_UNKNOWN: {
    status: 404,
    retryable: false,
    text: "There is no context of that name; the nearest one is named.",
  },
  CONTEXT_EXISTS: {
    status: 409,
    retryable: false,
    text: "There is a context of that name; `--replace` puts another there.",
  },
  CONTEXTS_INVALID: {
    status: 500,
    retryable: false,
    text: "The file of contexts cannot be read, or is not as `capstan context` writes it.",
  },
  ANSWER_INVALID: {
    status: 502,
    retryable: false,
    text: "The server's answer is not of the form that this version of `capstan` knows; the text says which.",
  },
  INVITE_INVALID: {
    status: 422,
    retryable: false,
    text: "The file is no invitation to peer, has expired, or is not one that this node can take; the text says which.",
  },
  PEER_NOT_ESTABLISHED: {
    status: 504,
    retryable: false,
    text: "There was no session with the peer by then; it is configured, and goes on trying. `peer show` says why.",
  },
  UNREACHABLE: {
    status: 503,
    retryable: true,
    text: "No Capstan server answers at the address; start one, or pass another with `--url`.",
  },
} as const satisfies FaultTable;
