// Loc-RIB (RFC 4271 §3.2): of every name the best path, and behind it the other candidates, so that a withdrawal falls
// over at once. Remembers what changed until it is asked, and tells whoever follows it.

import { comparePaths } from "../decision/decide-best.ts";
import type { BestChange, Path } from "../rib/path.ts";
import type { RouteName } from "../wire/names.ts";

/** Hears of every change of a best path, as it happens. */
export interface Follower {
  bestChanged(name: RouteName, best: Path | undefined): void;
}

export class LocRib {
  /**
   * A name with one candidate, which is most of them, needs no array. An array is in the decision's order, and has two
   * or more.
   */
  readonly #destinations = new Map<RouteName, Path | Path[]>();
  /** What was the best when changes were last taken. */
  readonly #before = new Map<RouteName, Path | undefined>();
  #followers: readonly Follower[] = [];

  follow(follower: Follower): void {
    this.#followers = [...this.#followers, follower];
  }

  unfollow(follower: Follower): void {
    this.#followers = this.#followers.filter((other) => other !== follower);
  }

  get size(): number {
    return this.#destinations.size;
  }

  /** Sound while it is walked: what comes meanwhile is walked as well. */
  names(): MapIterator<RouteName> {
    return this.#destinations.keys();
  }

  best(name: RouteName): Path | undefined {
    const destination = this.#destinations.get(name);
    return Array.isArray(destination) ? destination[0] : destination;
  }

  /** The best first. */
  candidates(name: RouteName): Path[] {
    const destination = this.#destinations.get(name);
    if (destination === undefined) return [];
    return Array.isArray(destination) ? [...destination] : [destination];
  }

  /** `gone` is a candidate no more, `come` is one now; both of the same peer (RFC 4271 §9: implicit replacement). */
  change(name: RouteName, gone: Path | undefined, come: Path | undefined): void {
    const destination = this.#destinations.get(name);
    if (destination === undefined) {
      if (come === undefined) return;
      this.#destinations.set(name, come);
      this.#changed(name, undefined, come);
    } else if (Array.isArray(destination)) {
      this.#changeAmong(name, destination, gone, come);
    } else if (destination === gone) {
      if (come === undefined) this.#destinations.delete(name);
      else this.#destinations.set(name, come);
      this.#changed(name, gone, come);
    } else if (come !== undefined) {
      const better = comparePaths(come, destination) < 0;
      this.#destinations.set(name, better ? [come, destination] : [destination, come]);
      if (better) this.#changed(name, destination, come);
    }
  }

  /** Once for each name whose best path is another one than when this was asked last. */
  takeChanges(): BestChange[] {
    const changes: BestChange[] = [];
    for (const [name, before] of this.#before) {
      const now = this.best(name);
      if (now !== before) changes.push({ name, before, now });
    }
    this.#before.clear();
    return changes;
  }

  #changeAmong(name: RouteName, paths: Path[], gone: Path | undefined, come: Path | undefined): void {
    const before = paths[0];
    if (gone !== undefined) {
      const at = paths.indexOf(gone);
      if (at >= 0) paths.splice(at, 1);
    }
    if (come !== undefined) {
      let at = 0;
      while (at < paths.length && comparePaths(paths[at]!, come) < 0) at += 1;
      paths.splice(at, 0, come);
    }
    const now = paths[0]!;
    if (paths.length === 1) this.#destinations.set(name, now);
    if (now !== before) this.#changed(name, before, now);
  }

  #changed(name: RouteName, before: Path | undefined, now: Path | undefined): void {
    if (!this.#before.has(name)) this.#before.set(name, before);
    for (const follower of this.#followers) follower.bestChanged(name, now);
  }
}
