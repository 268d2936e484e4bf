// RFC 2439: a route that comes and goes gathers a penalty, which decays; past one threshold the route is left out, below another
// it is taken again. One of these a peer; memory only for routes that have a penalty. Knows times only as they are given to it.

import type { RouteName } from "../wire/names.ts";
import type { Damping } from "./route-limit.ts";

interface Penalty {
  /** As it was at `at`, in milliseconds. */
  value: number;
  at: number;
  /** The time from which a suppressed route is taken again; `undefined`: it is not suppressed. */
  reuseAt: number | undefined;
}

/** Routes with a penalty, unless `allow` says otherwise. */
const MOST_PENALTIES = 100_000;
/** Entries of the heap that may be left over from routes that had to make room, beside one for each penalty. */
const LEFT_OVER = 1000;

export class RouteDamping {
  /** The one that was charged longest ago stands first. */
  private readonly penalties = new Map<RouteName, Penalty>();
  /** Suppressed routes by time of reuse, a binary heap. A charge makes an entry stale: it is put right when it comes up. */
  private readonly reuses: { readonly name: RouteName; readonly at: number }[] = [];
  /** Before that no penalty is small enough to be forgotten. */
  private smallFrom = 0;
  /** Suppressed routes that had to make room, and are therefore taken again. */
  private evicted: RouteName[] = [];

  constructor(
    private readonly figures: Damping,
    private capacity = MOST_PENALTIES,
  ) {}

  /** Routes with a penalty, at most. Past it the one longest at rest goes: to invent names costs a peer its damping, and us no memory. */
  allow(capacity: number): void {
    this.capacity = capacity;
  }

  /** Routes that have a penalty. */
  get size(): number {
    return this.penalties.size;
  }

  /** RFC 2439 §4.8.2: it was withdrawn. Gives whether it is suppressed now. */
  onWithdraw(name: RouteName, now: number): boolean {
    return this.charge(name, this.figures.withdrawal, now);
  }

  /** RFC 2439 §4.8.4: it was announced with other attributes. To announce it again as it was, or signed anew, is no change. */
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

  /** When that route is taken again, if it is suppressed and nothing more happens. */
  reuseAt(name: RouteName): number | undefined {
    return this.penalties.get(name)?.reuseAt;
  }

  /** When the first suppressed route is due: takeReusable has something then. */
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

  /** The routes that are suppressed no longer, each given once; forgets penalties that do not matter any more. */
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
    // The wait ended, and takeReusable has not been asked: only the penalty that is left counts.
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

  /** RFC 2439 §4.2: it halves every half-life. Not before its own time, should `now` ever run backwards. */
  private decayed({ value, at }: Penalty, now: number): number {
    return value * 2 ** (-Math.max(0, now - at) / this.figures.halfLife);
  }

  /** Whole milliseconds in which `value` has decayed to `target`. */
  private timeTo(target: number, value: number): number {
    return Math.max(0, Math.ceil(this.figures.halfLife * Math.log2(value / target)));
  }

  /** RFC 2439 §4.2: below half of the reuse threshold it is forgotten. The oldest first, as far as they are due. */
  private forgetSmall(now: number): void {
    const crowded = this.penalties.size > this.capacity;
    if (now < this.smallFrom && !crowded) return;
    // An eighth at once: a walk from the front of a map goes over what was deleted there.
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

  /** Of what is suppressed now; the entry that was to be pushed is of it. */
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

  /** The heap is not empty. */
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
