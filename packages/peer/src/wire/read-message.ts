// From what came to a message, or to what is wrong with it. Says where and what, in a line that may go to the other side and
// to a terminal: what came is shown neither at length nor with what is unprintable in it. Never throws.

import { type Message, type MessageType, message } from "./message.ts";
import { asLine } from "./names.ts";
import type { Complaint } from "./notification-codes.ts";
import { tellIssue } from "./tell-issue.ts";
import { whyUnprovable } from "./unprovable.ts";

export type MessageReading =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly complaint: Complaint; readonly text: string };

/**
 * How large a frame may be, in bytes of UTF-8: what comes before the proof, of anybody, and what comes after it. Reading is
 * linear in it, at most some 0.1 µs a byte, which is where all of it is wrong.
 */
export const FRAME_BYTES = { unproved: 16_384, proved: 4_194_304 } as const;

/** A frame's text to its message. `maxBytes`: of UTF-8. `only`: any other is malformed. */
export function decodeFrame(text: string, maxBytes: number, only?: MessageType): MessageReading {
  // A UTF-16 code unit is one to three bytes of UTF-8: mostly its length alone decides.
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

/** One line of JSON. What it is given is a message: nothing is checked again. */
export function encodeFrame(outgoing: Message): string {
  return JSON.stringify(outgoing);
}

/** `value`: as JSON.parse makes it. */
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
