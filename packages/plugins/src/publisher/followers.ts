// Callbacks that follow: a topic, by a cursor that is the caller's own, or a subscription, which keeps it. One follows a
// subscription at a time.

import { type Fault, FaultError, fault, type Live, type PluginRuntime, type Principal } from "@capstan/orchestrator";
import { Follower } from "./follower.ts";
import type { Line } from "./line.ts";
import type { Lines } from "./lines.ts";
import type { SubscriptionRow } from "./schema.ts";
import type { Want } from "./want.ts";
import type { Wanted } from "./wanted.ts";

/** A subscription that may be followed, as it goes on in this process. */
export interface Followed {
  readonly id: string;
  readonly row: SubscriptionRow;
  /** Everything up to this entry is dealt with. */
  reached: number;
  line: Line | undefined;
  follower: Follower | undefined;
  /** Why its last follower was let go. */
  left: Fault | undefined;
}

export class Followers {
  readonly #runtime: PluginRuntime;
  readonly #lines: Lines;
  readonly #wanted: Wanted;
  readonly #patience: number;
  /** Of topics. */
  readonly #passing = new Map<Line, Want>();
  #count = 0;

  /** @param patience milliseconds that a callback may take for a batch */
  constructor(runtime: PluginRuntime, lines: Lines, wanted: Wanted, patience: number) {
    this.#runtime = runtime;
    this.#lines = lines;
    this.#wanted = wanted;
    this.#patience = patience;
  }

  /** A callback follows a topic from an entry on. Answers its name. */
  topic(topic: string, position: number, as: Principal, reference: string): string {
    const { live, name } = this.#callback(reference);
    const line: Line = this.#lines.open({
      ...{ topic, position, as: () => [as] },
      deliver: (items, to) => follower.deliver(items, to),
      ended: (why) => follower.end(why),
      broke: (why) => follower.end(why),
    });
    const want: Want = { topic, as: () => as };
    const ended = (): void => {
      line.end();
      if (!this.#passing.delete(line)) return;
      this.#wanted.passes(topic, as);
      this.#wanted.remove(want);
    };
    this.#passing.set(line, want);
    this.#wanted.add(want);
    const follower = this.#follower(live, position, () => {}, ended);
    return name;
  }

  /** A callback follows a subscription from where that is. Whoever followed it before is let go. */
  subscription(one: Followed, as: Principal, reference: string, reached: (entry: number) => void): string {
    const { live, name } = this.#callback(reference);
    one.follower?.end(fault("SUBSCRIPTION_TAKEN", `${one.id} is followed by another now: ${as.principal}`));
    const line: Line = this.#lines.open({
      ...{ topic: one.row.topic, position: one.reached, as: () => [one.row, as] },
      deliver: (items, to) => follower.deliver(items, to),
      ended: (why) => follower.end(why),
      broke: (why) => follower.end(why),
    });
    const ended = (why: Fault): void => {
      line.end();
      if (one.line !== line) return;
      one.reached = Math.max(one.reached, line.position);
      one.line = one.follower = undefined;
      one.left = why;
    };
    one.line = line;
    one.left = undefined;
    const follower = this.#follower(live, one.reached, reached, ended);
    // Gone in the meantime: that was noticed already.
    if (one.line === line) one.follower = follower;
    return name;
  }

  /** Who may what has changed. */
  recheck(): void {
    for (const line of [...this.#passing.keys()]) line.recheck();
  }

  /** What those who follow topics want. */
  get wants(): Iterable<Want> {
    return this.#passing.values();
  }

  #callback(reference: string): { readonly live: Live; readonly name: string } {
    const live = this.#runtime.live(reference);
    if (live === undefined) {
      const text = '"callback": a function of the caller\'s, over a session that lasts';
      throw new FaultError(fault("LIVE_UNAVAILABLE", text));
    }
    return { live, name: `f-${++this.#count}` };
  }

  #follower(live: Live, position: number, reached: (entry: number) => void, ended: (why: Fault) => void): Follower {
    const { timers, reader } = this.#runtime;
    return new Follower({ live, timers, patience: this.#patience, log: reader.proofs, reached, ended }, position);
  }
}
