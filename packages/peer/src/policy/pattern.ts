// Names' patterns, as policies and owner lists have them: a name, or what a name begins with and a star. One list of patterns
// answers by a lookup a length of prefix, however many there are.

import type { RouteName } from "../wire/names.ts";

/** A star at the end stands for anything; anywhere else it is an ordinary character. */
export function matchesPattern(pattern: string, name: RouteName): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** Prefixes of one length, and what was found at the last question: names that come together begin alike. */
interface Level<T> {
  readonly length: number;
  readonly lists: Map<string, T[]>;
  last: string | undefined;
  found: readonly T[] | undefined;
}

/** What stands behind patterns, found by name. */
export class PatternIndex<T> {
  private readonly exact = new Map<string, T[]>();
  /** The shortest prefixes first. */
  private levels: Level<T>[] = [];
  /** All that was found behind prefixes at the last question. */
  private prefixed: readonly (readonly T[])[] = [];

  add(pattern: string, value: T): void {
    const prefix = pattern.endsWith("*");
    const key = prefix ? pattern.slice(0, -1) : pattern;
    const lists = prefix ? this.levelOf(key.length).lists : this.exact;
    const values = lists.get(key);
    if (values === undefined) lists.set(key, [value]);
    // Entries come in order: one that repeats its own pattern is at the end.
    else if (values.at(-1) !== value) values.push(value);
    this.forgetLast();
  }

  /** The lists of values of all patterns that match, each in the order in which it was added to. */
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
