// A list of ids as one text, separated by blanks: a path, or tags. Each route of a table may have its own; as lists they would be
// an array and a string for each word, parsed, kept and garbage-collected by tens of thousands.

import { z } from "zod";

/** Ids separated by single blanks; "" is the empty list. */
export type Words = string;

/** One or more of IDENTIFIER (names.ts). */
const WORDS = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(?: [A-Za-z0-9][A-Za-z0-9._-]{0,63})*$/;
/** The longest id, with its blank. */
const LONGEST_WORD = 65;

export const isWords = (value: unknown, most: number): value is Words =>
  typeof value === "string" &&
  (value === "" || (value.length <= most * LONGEST_WORD && WORDS.test(value) && !hasMoreWords(value, most)));

export const words = (most: number) =>
  z.string().refine((text) => isWords(text, most), `is not up to ${most} ids with a blank between two`);

export const wordsOf = (list: readonly string[]): Words => list.join(" ");

export const listOf = (text: Words): string[] => (text === "" ? [] : text.split(" "));

export function countWords(text: Words): number {
  if (text === "") return 0;
  let count = 1;
  for (let at = text.indexOf(" "); at >= 0; at = text.indexOf(" ", at + 1)) count += 1;
  return count;
}

/** Most texts are too short to have more words, and need not be counted. */
export const hasMoreWords = (text: Words, than: number): boolean => text.length > 2 * than && countWords(text) > than;

export const hasWord = (text: Words, word: string): boolean => text.includes(word) && ` ${text} `.includes(` ${word} `);

export const beginsWith = (text: Words, word: string): boolean =>
  text.startsWith(word) && (text.length === word.length || text[word.length] === " ");

export const endsWith = (text: Words, word: string): boolean =>
  text.endsWith(word) && (text.length === word.length || text[text.length - word.length - 1] === " ");

export const firstWords = (text: Words, most: number): Words =>
  hasMoreWords(text, most) ? wordsOf(listOf(text).slice(0, most)) : text;

/** The words of both texts. */
export const joinWords = (before: Words, behind: Words): Words =>
  before === "" ? behind : behind === "" ? before : `${before} ${behind}`;
