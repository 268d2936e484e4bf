// Checks that an entry's stored text is consistent: the header is well-formed, and each part has the digest that the header names.
// Whether a log contains the header takes an inclusion proof (merkle.ts). docs/log-format.md has every byte.

import { hash } from "node:crypto";
import { leafHash } from "./merkle.ts";
import { ProofError } from "./proof-error.ts";

/** A part's letter: body, facts, rows, trace. In this order. */
const LETTERS = ["b", "f", "r", "t"] as const;
export type PartLetter = (typeof LETTERS)[number];

/** An entry's header as it is stored; the field of a letter has the digest of that part. */
export interface EntryHeader extends Readonly<Partial<Record<PartLetter, string>>> {
  readonly id: string;
  readonly message: string;
  readonly node: string;
  readonly principal: string;
  readonly grant: string;
  readonly at: number;
  readonly cause?: string;
  readonly verdict: string;
}

/** A part that is present: its JSON, or the name of the blob that holds the JSON. */
export type EntryPart =
  | { readonly letter: PartLetter; readonly kind: "inline"; readonly json: string }
  | { readonly letter: PartLetter; readonly kind: "blob"; readonly name: string };

/** An entry whose parts fit its header. */
export interface CheckedEntry {
  readonly header: EntryHeader;
  /** The leaf's hash. */
  readonly leaf: Uint8Array;
  readonly parts: readonly EntryPart[];
  /** Parts that have a digest in the header and are absent: erased from the log, or withheld by the sender. */
  readonly erased: readonly PartLetter[];
}

const TEXTS = ["id", "message", "node", "principal", "grant", "verdict"] as const;
/** Every field of a header, in its order. */
const FIELDS = ["id", "message", "node", "principal", "grant", "at", "cause", "verdict", ...LETTERS] as const;
const PART = /^([bfrtBFRT])([A-Za-z0-9_-]{22})/;
const DIGEST = /^[A-Za-z0-9_-]{43}$/;
const BLOB = /^sha256-[0-9a-f]{64}$/;

/** Checks an entry's stored text. @throws ProofError ENTRY_INVALID */
export function checkEntry(text: string): CheckedEntry {
  const [header = "", ...parts] = text.split("\n");
  return checkHeaderAndParts(header, parts);
}

/** Checks an entry given as its lines. @throws ProofError ENTRY_INVALID */
export function checkHeaderAndParts(headerText: string, lines: readonly string[]): CheckedEntry {
  const header = headerOf(headerText);
  const parts: EntryPart[] = [];
  let last = -1;
  for (const line of lines) {
    const part = partOf(line);
    const { letter } = part;
    const at = LETTERS.indexOf(letter);
    if (at <= last) throw invalid(`part ${letter} of ${header.id} is there twice or out of order`);
    last = at;
    if (header[letter] === undefined) throw invalid(`part ${letter} of ${header.id} has no digest in the header`);
    if (!line.isWellFormed() || hash("sha256", line, "base64url") !== header[letter]) {
      throw invalid(`part ${letter} of ${header.id} has been altered: its digest does not fit`);
    }
    parts.push(part);
  }
  const there = parts.map(({ letter }) => letter);
  const erased = LETTERS.filter((letter) => header[letter] !== undefined && !there.includes(letter));
  return { header, leaf: leafHash(headerText), parts, erased };
}

/** The name of the blob that holds a part's JSON. */
export function contentName(json: string | Uint8Array): string {
  return `sha256-${hash("sha256", json, "hex")}`;
}

function headerOf(text: string): EntryHeader {
  const header = parsed(text);
  const fields = FIELDS.filter((name) => Object.hasOwn(header, name));
  // Canonical: exactly these fields, each once, in this order.
  if (JSON.stringify(header) !== text || Object.keys(header).join() !== fields.join()) {
    throw invalid("the header is not JSON with the fields of a header, in their order and in its one form");
  }
  const wellFormed =
    TEXTS.every((name) => typeof header[name] === "string") &&
    (header.cause === undefined || typeof header.cause === "string") &&
    Number.isSafeInteger(header.at) &&
    (header.at as number) >= 0 &&
    LETTERS.every((letter) => header[letter] === undefined || DIGEST.test(String(header[letter])));
  if (!wellFormed) throw invalid("a field of the header is missing, or not what it has to be");
  return header as Partial<EntryHeader> as EntryHeader;
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // refused below
  }
  throw invalid("the header is no JSON object");
}

function partOf(line: string): EntryPart {
  const [start, mark = ""] = PART.exec(line) ?? [];
  const rest = line.slice(start?.length);
  const letter = mark.toLowerCase() as PartLetter;
  const inline = mark === letter;
  if (start === undefined || line.includes("\n") || (!inline && !BLOB.test(rest))) {
    throw invalid("a line is no part: it is not a letter, a salt, and JSON or the name of content");
  }
  return inline ? { letter, kind: "inline", json: rest } : { letter, kind: "blob", name: rest };
}

function invalid(why: string): ProofError {
  return new ProofError("ENTRY_INVALID", `the entry is not what was logged: ${why}`);
}
