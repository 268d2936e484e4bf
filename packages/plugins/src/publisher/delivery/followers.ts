// Callbacks that follow a topic, whose caller keeps the cursor, or a subscription, which keeps it itself. A subscription has at most one
// follower.

import { type Fault, FaultError, fault, type Live, type PluginRuntime, type Principal } from "@capstan/orchestrator";
import type { Want } from "../elsewhere/want.ts";
import type { Wanted } from "../elsewhere/wanted.ts";
import type { SubscriptionRow } from "../schema.ts";
import type { TopicReader } from "../topic-reader.ts";
import type { TopicReaders } from "../topic-readers.ts";
import { Follower } from "./follower.ts";

/** The state in this process of a subscription that may be followed. */
export interface Followed {
  readonly id: string;
  readonly row: SubscriptionRow;
  /** It is done with everything up to this entry. */
  reached: number;
  reader: TopicReader | undefined;
  follower: Follower | undefined;
  /** Why its last follower was released. */
  left: Fault | undefined;
}

export class Followers {
  readonly #runtime: PluginRuntime;
  readonly #readers: TopicReaders;
  readonly #wanted: Wanted;
  readonly #patience: number;
  /** Followers of topics. */
  readonly #passing = new Map<TopicReader, Want>();
  #count = 0;

  /** @param patience milliseconds that a callback may take for a batch */
  constructor(runtime: PluginRuntime, readers: TopicReaders, wanted: Wanted, patience: number) {
    this.#runtime = runtime;
    this.#readers = readers;
    this.#wanted = wanted;
    this.#patience = patience;
  }

  /** Lets a callback follow a topic from an entry on. Answers the follower's name. */
  topic(topic: string, position: number, as: Principal, reference: string): string {
    const { live, name } = this.#callback(reference);
    const reader: TopicReader = this.#readers.open({
      ...{ topic, position, as: () => [as] },
      deliver: (items, to) => follower.deliver(items, to),
      ended: (why) => follower.end(why),
      broke: (why) => follower.end(why),
    });
    const want: Want = { topic, as: () => as };
    const ended = (): void => {
      reader.end();
      if (!this.#passing.delete(reader)) return;
      this.#wanted.passes(topic, as);
      this.#wanted.remove(want);
    };
    this.#passing.set(reader, want);
    this.#wanted.add(want);
    const follower = this.#follower(live, position, () => {}, ended);
    return name;
  }

  /** Lets a callback follow a subscription from its cursor on. An earlier follower is released. */
  subscription(one: Followed, as: Principal, reference: string, reached: (entry: number) => void): string {
    const { live, name } = this.#callback(reference);
    one.follower?.end(fault("SUBSCRIPTION_TAKEN", `${one.id} is followed by another now: ${as.principal}`));
    const reader: TopicReader = this.#readers.open({
      ...{ topic: one.row.topic, position: one.reached, as: () => [one.row, as] },
      deliver: (items, to) => follower.deliver(items, to),
      ended: (why) => follower.end(why),
      broke: (why) => follower.end(why),
    });
    const ended = (why: Fault): void => {
      reader.end();
      if (one.reader !== reader) return;
      one.reached = Math.max(one.reached, reader.position);
      one.reader = one.follower = undefined;
      one.left = why;
    };
    one.reader = reader;
    one.left = undefined;
    const follower = this.#follower(live, one.reached, reached, ended);
    // The callback may have gone meanwhile: `ended` has been called then.
    if (one.reader === reader) one.follower = follower;
    return name;
  }

  /** Rights may have changed. */
  recheck(): void {
    for (const reader of [...this.#passing.keys()]) reader.recheck();
  }

  /** The topics that are followed, and in whose name. */
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
