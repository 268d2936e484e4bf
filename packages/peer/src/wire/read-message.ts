// Parses a frame into a message, or a complaint. The complaint's text says what is wrong and where, in one line that is safe for the other side and
// for a terminal: it quotes the input only cut and escaped. Never throws.

import { type Message, type MessageType, message } from "./message.ts";
import { asLine } from "./names.ts";
import type { Complaint } from "./notification-codes.ts";
import { tellIssue } from "./tell-issue.ts";
import { whyUnprovable } from "./unprovable.ts";

export type MessageReading =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly complaint: Complaint; readonly text: string };

/**
 * The largest frame, in bytes of UTF-8, before the proof (anybody may send it) and after. Parsing takes
 * linear time: at most about 0.1 µs a byte, if everything is malformed.
 */
export const FRAME_BYTES = { unproved: 16_384, proved: 4_194_304 } as const;

/** Parses a frame's text. @param maxBytes of UTF-8; @param only the one type that is accepted */
export function decodeFrame(text: string, maxBytes: number, only?: MessageType): MessageReading {
  // A UTF-16 code unit takes one to three bytes of UTF-8, so that mostly the length alone decides.
  if (text.length > maxBytes || (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes)) {
    return malformed("bad-message", `the frame has more than ${maxBytes} bytes`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return malformed("bad-message", "the frame is not JSON, or was cut off");
  }
  const reading = readMessage(value);
  if (only === undefined || !reading.ok || reading.message.type === only) return reading;
  return malformed("bad-message-type", `a ${reading.message.type} where only ${only} is told as text`);
}

/** The message as one line of JSON, without validation. */
export function encodeFrame(outgoing: Message): string {
  return JSON.stringify(outgoing);
}

/** @param value as JSON.parse returns it */
export function readMessage(value: unknown): MessageReading {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return malformed("bad-message", "a message is an object");
  }
  const { type } = value as { readonly type?: unknown };
  if (typeof type !== "string") return malformed("bad-message", "a message has a type, a string");
  if (!message.options.some((one) => one.shape.type.value === type)) {
    return malformed("bad-message-type", `no message is called "${asLine(type, 32)}"`);
  }
  const unprovable = type === "open" ? whyUnprovable(value) : undefined;
  if (unprovable !== undefined) return malformed("bad-message", `open: ${unprovable}`);
  const parsed = message.safeParse(value, { reportInput: true });
  if (parsed.success) return { ok: true, message: parsed.data };
  return malformed("bad-message", `${type}: ${tellIssue(parsed.error)}`);
}

function malformed(subcode: "bad-message" | "bad-message-type", text: string): MessageReading {
  return { ok: false, complaint: { code: "message-header-error", subcode }, text };
}
