// Patterns of names, as policies and owner lists have them: an exact name, or a prefix followed by a star. A look-up in a set of patterns
// costs one probe for each length of prefix that occurs, however many patterns there are.

import type { RouteName } from "../wire/names.ts";

/** A star at the end stands for anything; anywhere else it is an ordinary character. */
export function matchesPattern(pattern: string, name: RouteName): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** The prefixes of one length, and the last one found: names that are looked up in a row mostly begin alike. */
interface Level<T> {
  readonly length: number;
  readonly lists: Map<string, T[]>;
  last: string | undefined;
  found: readonly T[] | undefined;
}

/** Values stored under patterns, found by name. */
export class PatternIndex<T> {
  private readonly exact = new Map<string, T[]>();
  /** The shortest prefixes first. */
  private levels: Level<T>[] = [];
  /** What the last look-up found under prefixes. */
  private prefixed: readonly (readonly T[])[] = [];

  add(pattern: string, value: T): void {
    const prefix = pattern.endsWith("*");
    const key = prefix ? pattern.slice(0, -1) : pattern;
    const lists = prefix ? this.levelOf(key.length).lists : this.exact;
    const values = lists.get(key);
    if (values === undefined) lists.set(key, [value]);
    // Values are added in order: a value that is there already is the last.
    else if (values.at(-1) !== value) values.push(value);
    this.forgetLast();
  }

  /** For each matching pattern its list of values, in the order in which they were added. */
  find(name: RouteName): readonly (readonly T[])[] {
    const prefixed = this.findPrefixes(name);
    const exact = this.exact.size === 0 ? undefined : this.exact.get(name);
    return exact === undefined ? prefixed : [exact, ...prefixed];
  }

  private findPrefixes(name: RouteName): readonly (readonly T[])[] {
    let same = true;
    for (const level of this.levels) {
      if (level.last !== undefined && name.startsWith(level.last)) continue;
      const last = level.length <= name.length ? name.slice(0, level.length) : undefined;
      if (last === undefined && level.last === undefined) continue;
      const found = last === undefined ? undefined : level.lists.get(last);
      same &&= found === level.found;
      level.last = last;
      level.found = found;
    }
    if (!same) this.prefixed = this.levels.flatMap(({ found }) => (found === undefined ? [] : [found]));
    return this.prefixed;
  }

  private forgetLast(): void {
    this.prefixed = [];
    for (const level of this.levels) {
      level.last = undefined;
      level.found = undefined;
    }
  }

  private levelOf(length: number): Level<T> {
    let level = this.levels.find((known) => known.length === length);
    if (level === undefined) {
      level = { length, lists: new Map(), last: undefined, found: undefined };
      this.levels = [...this.levels, level].sort((a, b) => a.length - b.length);
    }
    return level;
  }
}
