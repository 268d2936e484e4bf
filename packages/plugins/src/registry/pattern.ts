// A schema's regular expressions, run by RE2 (linear time) and never by the engine's own backtracking ones: a caller's
// `^(a+)+$` blocked Bun for 0.7 s on 31 characters. Lookaround and back-references do not exist here, by design.

import { printable } from "@capstan/orchestrator";
import { RE2JS } from "re2js";

/**
 * What one schema's patterns may cost together, in atoms after repetitions are written out. Compiling is what costs: re2js
 * needed 280 ms for a 900 character group repeated 1,000 times.
 */
export const PATTERN_BUDGET = 10_000;
/** A class of Unicode's (`\p{L}`) compiles into hundreds of ranges: 0.26 ms each. */
const UNICODE_CLASS_COST = 20;
/** Compiled patterns kept. One is some kB, and checking a schema compiles what compiling it needs again. */
const KEPT = 256;

export interface LinearPattern {
  readonly source: string;
  /** Instructions of the compiled program: a test costs at most this times the text's length. */
  readonly size: number;
  test(text: string): boolean;
}

const kept = new Map<string, LinearPattern>();

/** Compiles an ECMA-262 pattern for RE2; throws an Error that says what it cannot take. */
export function linearPattern(source: string): LinearPattern {
  let pattern = kept.get(source);
  if (pattern) return pattern;
  const cost = patternCost(source);
  if (cost > PATTERN_BUDGET)
    throw new Error(`it repeats too much: ${cost} atoms written out, at most ${PATTERN_BUDGET}`);
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(RE2JS.translateRegExp(source));
  } catch (error) {
    throw new Error(printable((error as Error).message.replace(/^error parsing regexp: /, "")));
  }
  pattern = { source, size: compiled.programSize(), test: (text) => compiled.test(text) };
  if (kept.size >= KEPT) kept.delete(kept.keys().next().value as string);
  kept.set(source, pattern);
  return pattern;
}

/**
 * How many atoms the pattern has when its counted repetitions are written out, an upper estimate from the text alone, so
 * that it costs nothing to refuse a bomb. Malformed patterns get some number: compiling them refuses them.
 */
export function patternCost(source: string): number {
  const groups: number[] = [];
  let total = 0; // of the group that we are in
  let atom = 0; // the last atom of it: what a quantifier repeats
  for (let i = 0; i < source.length; i++) {
    const character = source[i];
    if (character === "(") {
      groups.push(total);
      total = 0;
      atom = 0;
    } else if (character === ")") {
      atom = total + 1;
      total = (groups.pop() ?? 0) + atom;
    } else if (character === "{") {
      const counts = /^\{(\d+)(,(\d*))?\}/.exec(source.slice(i, i + 24));
      if (!counts) {
        total += atom = 1;
        continue;
      }
      const times = Math.max(1, Number(counts[1]), Number(counts[3] ?? 0));
      total += atom * (times - 1);
      atom *= times;
      i += counts[0].length - 1;
    } else {
      const end = character === "[" ? classEnd(source, i) : character === "\\" ? escapeEnd(source, i) : i;
      const unicode = source.slice(i, end + 1).match(/\\p/gi)?.length ?? 0;
      atom = 1 + unicode * UNICODE_CLASS_COST;
      total += atom;
      i = end;
    }
  }
  return groups.reduce((sum, part) => sum + part, total);
}

/** `\p{Greek}`, `\x{41}` and `\u{41}` are one atom with their braces. */
function escapeEnd(source: string, start: number): number {
  if (!/[pPxu]/.test(source[start + 1] ?? "") || source[start + 2] !== "{") return start + 1;
  const end = source.indexOf("}", start);
  return end < 0 ? source.length : end;
}

function classEnd(source: string, start: number): number {
  for (let i = start + 1; i < source.length; i++) {
    if (source[i] === "\\") i++;
    else if (source[i] === "]" && i > start + 1) return i;
  }
  return source.length;
}
