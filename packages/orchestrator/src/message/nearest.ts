// "did you mean": the candidate that a mistyped word most likely meant. Pure; used wherever a name is unknown.

/** Words longer than this are not typing mistakes, and the comparison costs length². */
const LONGEST_WORD = 64;

/** How many edits still look like a slip: a third of the word, at least two; words under four letters bear only one. */
function allowedEdits(length: number): number {
  if (length < 2) return 0;
  return length < 4 ? 1 : Math.max(2, Math.floor(length / 3));
}

/**
 * The candidate nearest to `word` in edits (insert, delete, replace, swap two neighbours), letter case ignored; the
 * first of equals; `undefined` where none is near.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > LONGEST_WORD) return undefined;
  const wanted = word.toLowerCase();
  let limit = allowedEdits(word.length);
  let found: string | undefined;
  for (const candidate of candidates) {
    if (candidate === word || Math.abs(candidate.length - word.length) > limit) continue;
    const edits = editDistance(wanted, candidate.toLowerCase(), limit);
    if (edits > limit) continue;
    found = candidate;
    if (edits === 0) break;
    limit = edits - 1; // only a strictly nearer one replaces it
  }
  return found;
}

/** Optimal string alignment distance (Damerau–Levenshtein without edits inside a swap); above `limit` only "more than". */
function editDistance(a: string, b: string, limit: number): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let smallest = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let edits = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        edits = Math.min(edits, at(beforeLast, j - 2) + 1);
      }
      row.push(edits);
      smallest = Math.min(smallest, edits);
    }
    // A swap reads two rows back, so one bad row alone decides nothing: look one further.
    if (smallest > limit + 1) return limit + 1;
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

const at = (row: readonly number[], index: number): number => row[index] as number;
