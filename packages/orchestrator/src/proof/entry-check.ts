// An entry's stored text against itself: the header is well-formed, and each part is the one of which it has the digest.
// Whether the header is in a log, a proof says (merkle.ts). docs/log-format.md has every byte.

import { hash } from "node:crypto";
import { leafHash } from "./merkle.ts";
import { ProofError } from "./proof-error.ts";

/** A part's letter: body, facts, rows, trace. In this order. */
const LETTERS = ["b", "f", "r", "t"] as const;
export type PartLetter = (typeof LETTERS)[number];

/** An entry's header as it is stored; a letter's field is its part's digest. */
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

/** A part that is there: its JSON, or the name of its JSON's content where that is kept beside the entry. */
export type EntryPart =
  | { readonly letter: PartLetter; readonly kind: "inline"; readonly json: string }
  | { readonly letter: PartLetter; readonly kind: "blob"; readonly name: string };

/** An entry whose text agrees with its header. */
export interface CheckedEntry {
  readonly header: EntryHeader;
  /** The leaf's hash. */
  readonly leaf: Uint8Array;
  readonly parts: readonly EntryPart[];
  /** Parts that the header has a digest of, and that are not there: erased, or kept back by who shows the entry. */
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

/** Checks an entry whose lines are apart. @throws ProofError ENTRY_INVALID */
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

/** The name under which a part's JSON is kept beside its entry. */
export function contentName(json: string | Uint8Array): string {
  return `sha256-${hash("sha256", json, "hex")}`;
}

function headerOf(text: string): EntryHeader {
  const header = parsed(text);
  const fields = FIELDS.filter((name) => Object.hasOwn(header, name));
  // As it was written: each thing once and in one way, in order, with these fields and no other.
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
    // what is no JSON is no header
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
