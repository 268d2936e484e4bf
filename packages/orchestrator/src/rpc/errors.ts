// What callers see of an error: code, message, details, id, and nothing else (DESIGN.md §5). capnweb would send every
// enumerable field, and a stack if the rewritten error had one.

import { type Fault, FaultError, fault, faultOf } from "../fault/fault.ts";

/** Gets the original of every error that crosses as INTERNAL: a bug of ours, which the log must name. */
export type ErrorReport = (error: unknown) => void;

/** For capnweb's option of the same name: `{ onSendError: (error) => onSendError(error, report) }`. */
export function onSendError(error: Error, report?: ErrorReport): Error {
  return errorOf(callerFault(error, report));
}

/** The fault that an error amounts to for the peer whose call or frame caused it. */
export function callerFault(error: unknown, report?: ErrorReport): Fault {
  if (error instanceof FaultError) return error.toFault();
  const known = error instanceof Error ? capnwebFault(error) : undefined;
  if (known) return known;
  report?.(error);
  return faultOf(error);
}

/** A fault in capnweb's own encoding of an error: name, message, no stack, its enumerable fields. */
export function encodeFault(code: string, message: string): unknown[] {
  return ["error", "Error", message, null, { code }];
}

// capnweb 0.12 tells its errors apart by their text only; the tests beside this hold these against the real thing.
const NOT_A_FUNCTION = /^'([^']*)' is not a function\.$/;
const INSTANCE_PROPERTY = /^Attempted to access property '([^']*)', which is an instance property of the RpcTarget\./;
const PROTOCOL_ERROR =
  /^(?:no such (?:entry on exports table|export ID): |refcount would go negative: |bad RPC message: |unknown special value: |unknown map capture: |Deserialization exceeded |Deserialized bigint exceeds |Unknown bytes type marker|Invalid byte length |Invalid empty mapper function|A mapper function cannot |Export .* is not a pipe )/;
/** A name that an error text may repeat; anything else a caller made up is left out. */
const NAME = /^[\w$.-]{1,128}$/;

function capnwebFault(error: Error): Fault | undefined {
  if (error instanceof TypeError) {
    const [, path] = NOT_A_FUNCTION.exec(error.message) ?? INSTANCE_PROPERTY.exec(error.message) ?? [];
    if (path !== undefined) return unknownMember(path);
    // `scope.nope.list()` fails inside capnweb's own walk of the path, with the engine's text.
    if (/^[^\n]*\bfollowPath\b/m.test(firstFrame(error))) return unknownMember("");
  }
  if (PROTOCOL_ERROR.test(error.message)) {
    return fault("FRAME_INVALID", "the frame does not fit the session: it names what is not there, or is malformed");
  }
  return undefined;
}

function unknownMember(path: string): Fault {
  return fault("MESSAGE_UNKNOWN", NAME.test(path) ? `scope has no ${path}` : "scope has no such resource or verb");
}

function firstFrame(error: Error): string {
  // V8's form, which Bun follows, begins with the message.
  const lines = (error.stack ?? "").split("\n");
  return lines.find((line) => line.trimStart().startsWith("at ")) ?? "";
}

/** An Error for capnweb, without a stack: that would cost time and show our sources. */
function errorOf(from: Fault): Error {
  const error = Object.create(Error.prototype) as Error & Record<string, unknown>;
  error.message = from.message;
  error.code = from.code;
  if (from.details !== undefined) error.details = from.details;
  if (from.id !== undefined) error.id = from.id;
  return error;
}
