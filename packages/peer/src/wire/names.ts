// The forms of names and texts on the wire; anything else is malformed. Names end up in logs, on
// terminals and in signed data, so they have no control characters, blanks or invisible characters, and every one is bounded. The ranges
// are written out, because `\p{C}` and `\s` may change with a version of Unicode, and two nodes have to agree.

import { z } from "zod";

/** A node's id, such as `n-7f3a1b2c`, or a domain's: the id of its administration, by default that of its only node. */
export const IDENTIFIER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const identifier = z.string().regex(IDENTIFIER, "is not an id (letters, digits, `.`, `_`, `-`; 64 at most)");
export type NodeId = string;
export type DomainId = string;

/**
 * `<kind>:<name>`: `action:greet`, `topic:action.greet`, `channel:books`; at most 255 characters (code points) behind the colon.
 * No lone surrogates: UTF-8 cannot represent them, so that two names could have the same signed bytes.
 */
export const ROUTE_NAME =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a name must not contain
  /^[a-z][a-z0-9-]{0,31}:[^\u0000-\u0020\u007f-\u00a0\u00ad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ud800-\udfff\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]{1,255}$/u;
export const routeName = z.string().regex(ROUTE_NAME, "is not a route's name, such as `action:greet`");
export type RouteName = string;

/** Characters that a line must not contain: they move the cursor, change the writing direction, or have no UTF-8 form. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a line must not contain
const NOT_IN_A_LINE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/u;
/** A text for people, and so for terminals: a node's name, or a reason. */
export const line = z.string().refine((text) => !NOT_IN_A_LINE.test(text), "has control characters in it");

/** Makes a `line` of any text: cut to `most` UTF-16 code units, with a question mark for each forbidden character. */
export function asLine(text: string, most: number): string {
  const cut = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  return cut.replace(new RegExp(NOT_IN_A_LINE, "gu"), "?");
}

export const BYTES_32 = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
/** 32 bytes in base64url, without padding: a nonce, a public key, a SHA-256. */
export const bytes32 = z.string().regex(BYTES_32, "is not 32 bytes in base64url");
export const BYTES_64 = /^[A-Za-z0-9_-]{85}[AQgw]$/;
/** 64 bytes in base64url, without padding: an ed25519 signature (RFC 8032). */
export const bytes64 = z.string().regex(BYTES_64, "is not 64 bytes in base64url");

/** Non-negative integers that JSON represents exactly. */
export const count = z.int().min(0);

/**
 * A signed note (https://c2sp.org/signed-note): lines of text, and no control characters besides newlines. Only its reader checks
 * its content and signatures.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a note must not contain
const NOTE = /^[^\u0000-\u0009\u000b-\u001f\u007f\ud800-\udfff]{1,8192}$/u;
export const note = z.string().regex(NOTE, "is not a signed note of at most 8192 characters");
/** A witness's cosignature (https://c2sp.org/tlog-cosignature), a line of a note: the key's name, then 4 + 8 + 64 bytes in base64. */
export const cosignature = z
  .string()
  .regex(/^\u2014 [A-Za-z0-9._/-]{1,128} [A-Za-z0-9+/]{101}[AQgw]==$/, "is not a cosignature's line");
