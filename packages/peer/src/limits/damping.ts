// RFC 2439: a route that comes and goes collects a penalty, which decays with time; above one threshold the route is suppressed, below
// another it is used again. One instance a peer; only routes with a penalty take memory. The caller gives the time, in milliseconds.

import type { RouteName } from "../wire/names.ts";
import type { Damping } from "./route-limit.ts";

interface Penalty {
  /** The penalty as it was at `at`. */
  value: number;
  at: number;
  /** When a suppressed route will be used again; `undefined`: it is not suppressed. */
  reuseAt: number | undefined;
}

/** The most routes with a penalty, unless `allow` sets another number. */
const MOST_PENALTIES = 100_000;
/** How many stale entries the heap may have, of routes that had to make room, beyond one for each penalty. */
const LEFT_OVER = 1000;

export class RouteDamping {
  /** In the order of the last charge, the oldest first. */
  private readonly penalties = new Map<RouteName, Penalty>();
  /** Suppressed routes by time of reuse: a binary heap. A new charge makes the entry stale; it is corrected when it comes to the top. */
  private readonly reuses: { readonly name: RouteName; readonly at: number }[] = [];
  /** Before this time no penalty is small enough to be forgotten. */
  private smallFrom = 0;
  /** Suppressed routes whose penalty had to make room, and which are therefore used again. */
  private evicted: RouteName[] = [];

  constructor(
    private readonly figures: Damping,
    private capacity = MOST_PENALTIES,
  ) {}

  /** Sets the most routes with a penalty. Beyond it the one charged longest ago goes: a peer that invents names loses damping, and costs no memory. */
  allow(capacity: number): void {
    this.capacity = capacity;
  }

  /** Routes that have a penalty. */
  get size(): number {
    return this.penalties.size;
  }

  /** RFC 2439 §4.8.2: the route was withdrawn. Answers whether it is suppressed now. */
  onWithdraw(name: RouteName, now: number): boolean {
    return this.charge(name, this.figures.withdrawal, now);
  }

  /** RFC 2439 §4.8.4: the route was announced with other attributes. The same attributes again, or a new signature, are no change. */
  onChange(name: RouteName, now: number): boolean {
    return this.charge(name, this.figures.change, now);
  }

  suppressed(name: RouteName, now: number): boolean {
    const reuseAt = this.penalties.get(name)?.reuseAt;
    return reuseAt !== undefined && now < reuseAt;
  }

  /** The penalty as of now; 0 where there is none. */
  penalty(name: RouteName, now: number): number {
    const penalty = this.penalties.get(name);
    return penalty === undefined ? 0 : this.decayed(penalty, now);
  }

  /** When that route will be used again, if it is suppressed and is not charged meanwhile. */
  reuseAt(name: RouteName): number | undefined {
    return this.penalties.get(name)?.reuseAt;
  }

  /** When the first suppressed route is due: then `takeReusable` answers something. */
  nextReuse(): number | undefined {
    if (this.evicted.length > 0) return 0; // at once
    return this.nextInHeap();
  }

  private nextInHeap(): number | undefined {
    for (let top = this.reuses[0]; top !== undefined; top = this.reuses[0]) {
      const reuseAt = this.penalties.get(top.name)?.reuseAt;
      if (reuseAt === top.at) return top.at;
      this.pop();
      if (reuseAt !== undefined) this.push({ name: top.name, at: reuseAt });
    }
    return undefined;
  }

  /** The routes that are no longer suppressed, each once. Also forgets small penalties. */
  takeReusable(now: number): RouteName[] {
    const reusable = this.evicted;
    this.evicted = [];
    for (let at = this.nextInHeap(); at !== undefined && at <= now; at = this.nextInHeap()) {
      const { name } = this.pop();
      const penalty = this.penalties.get(name);
      if (penalty === undefined) continue;
      penalty.reuseAt = undefined;
      reusable.push(name);
    }
    this.forgetSmall(now);
    return reusable;
  }

  private charge(name: RouteName, amount: number, now: number): boolean {
    const { most, suppressAt } = this.figures;
    const before = this.penalties.get(name);
    // The suppression has ended, though `takeReusable` was not called yet: only the remaining penalty counts.
    const still = before?.reuseAt !== undefined && now < before.reuseAt;
    const value = Math.min(most, amount + (before === undefined ? 0 : this.decayed(before, now)));
    const suppressed = still || value > suppressAt;
    const penalty = {
      value,
      at: now,
      reuseAt: suppressed ? now + this.timeTo(this.figures.reuseAt, value) : undefined,
    };
    this.penalties.delete(name);
    this.penalties.set(name, penalty);
    if (penalty.reuseAt !== undefined && !still) this.push({ name, at: penalty.reuseAt });
    if (before === undefined) this.forgetSmall(now);
    return suppressed;
  }

  /** RFC 2439 §4.2: the penalty halves every half-life. Unchanged where `now` is before `at`. */
  private decayed({ value, at }: Penalty, now: number): number {
    return value * 2 ** (-Math.max(0, now - at) / this.figures.halfLife);
  }

  /** After how many whole milliseconds `value` has decayed to `target`. */
  private timeTo(target: number, value: number): number {
    return Math.max(0, Math.ceil(this.figures.halfLife * Math.log2(value / target)));
  }

  /** RFC 2439 §4.2: below half of the reuse threshold it is forgotten. The oldest first, as far as they are due. */
  private forgetSmall(now: number): void {
    const crowded = this.penalties.size > this.capacity;
    if (now < this.smallFrom && !crowded) return;
    // An eighth at once, because a walk from the front of a Map passes over the entries that were deleted there.
    const most = crowded ? this.capacity - Math.floor(this.capacity / 8) : this.capacity;
    const small = this.figures.reuseAt / 2;
    this.smallFrom = 0;
    for (const [name, penalty] of this.penalties) {
      const due = penalty.at + this.timeTo(small, penalty.value);
      if (this.penalties.size <= most && (penalty.reuseAt !== undefined || now < due)) {
        this.smallFrom = due;
        return;
      }
      this.penalties.delete(name);
      if (penalty.reuseAt !== undefined) this.evicted.push(name);
    }
  }

  private push(entry: { readonly name: RouteName; readonly at: number }): void {
    if (this.reuses.length > LEFT_OVER + this.penalties.size) this.rebuild();
    else this.sink(entry);
  }

  /** Builds the heap anew from the routes that are suppressed now, the one to be pushed included. */
  private rebuild(): void {
    this.reuses.length = 0;
    for (const [name, { reuseAt }] of this.penalties) if (reuseAt !== undefined) this.sink({ name, at: reuseAt });
  }

  private sink(entry: { readonly name: RouteName; readonly at: number }): void {
    const heap = this.reuses;
    let child = heap.push(entry) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (heap[parent]!.at <= entry.at) break;
      heap[child] = heap[parent]!;
      child = parent;
    }
    heap[child] = entry;
  }

  /** The heap must not be empty. */
  private pop(): { readonly name: RouteName; readonly at: number } {
    const heap = this.reuses;
    const top = heap[0]!;
    const moved = heap.pop()!;
    if (heap.length === 0) return top;
    let parent = 0;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child += 1;
      if (heap[child]!.at >= moved.at) break;
      heap[parent] = heap[child]!;
      parent = child;
    }
    heap[parent] = moved;
    return top;
  }
}
