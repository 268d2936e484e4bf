// What all lines along the log have in common: one history, one head, one queue for turns, and whose rights are asked for.

import {
  type Authority,
  type Fault,
  FaultError,
  fault,
  type PluginRuntime,
  type Principal,
} from "@capstan/orchestrator";
import { goneBefore } from "./cursor.ts";
import type { Feed } from "./feed.ts";
import type { History } from "./history.ts";
import { Line, type LineParts } from "./line.ts";
import type { Published } from "./publication.ts";
import type { RunQueue } from "./run-queue.ts";
import { receiverTable, type SubscriptionRow } from "./schema.ts";
import { nameIn, reading, unknownTopic } from "./topic.ts";

export interface LineOptions extends Pick<LineParts, "topic" | "deliver"> {
  /** Everything up to this entry is behind it. */
  readonly position: number;
  /** All in whose name it reads. */
  as(): readonly Principal[];
  /** Who is handed what it reads: its registrant still has to have the right to that. */
  receiver?(): string | undefined;
  /** It has ended by itself: who reads may no more, or what they would read is gone. */
  ended(why: Fault): void;
  /** It has ended because reading failed. */
  broke(why: Fault): void;
}

export class Lines {
  readonly #runtime: PluginRuntime;
  readonly #history: History;
  readonly #feed: Feed;
  readonly #queue: RunQueue;

  constructor(runtime: PluginRuntime, history: History, feed: Feed, queue: RunQueue) {
    this.#runtime = runtime;
    this.#history = history;
    this.#feed = feed;
    this.#queue = queue;
  }

  open({ topic, position, as, receiver, deliver, ended, broke }: LineOptions): Line {
    const { reader, log } = this.#runtime;
    const parts: LineParts = {
      ...{ topic, history: this.#history, feed: this.#feed, queue: this.#queue, deliver, refused: ended },
      authority: () => this.#withdrawn(receiver?.()) ?? this.authority(topic, as()),
      gone: (entry) => goneBefore(entry, reader),
      broke: (thrown) => {
        log.error({ topic, error: String(thrown) }, "publications could not be read on");
        const unread = fault("INTERNAL", "publications could not be read on; the server's log names why");
        broke(thrown instanceof FaultError ? thrown.toFault() : unread);
      },
    };
    return new Line(parts, position);
  }

  /** Why a subscription goes no further as of now; `undefined` where it does. */
  whyNot(row: SubscriptionRow, entry: number): Fault | undefined {
    const may = this.#withdrawn(row.receiver) ?? this.authority(row.topic, [row]);
    return goneBefore(entry, this.#runtime.reader) ?? ("code" in may ? (may as Fault) : undefined);
  }

  /** Why a subscription may not be handed a publication as of now. */
  refusal(row: SubscriptionRow, { topic }: Published): Fault | undefined {
    const may = this.#withdrawn(row.receiver) ?? this.authority(row.topic, [row]);
    if ("code" in may) return may as Fault;
    return may.every((each) => each.reads(nameIn(topic))) ? undefined : unknownTopic(topic, []);
  }

  /** Why a receiver is handed nothing: whoever registered it, or updated it last, may do neither any more. */
  #withdrawn(name: string | undefined): Fault | undefined {
    const receiver = name === undefined ? undefined : this.#runtime.reader.get(receiverTable, name);
    if (receiver === undefined) return undefined;
    const right = (verb: string) => ({ resource: "receiver", verb, name: receiver.name });
    const refused = this.#runtime.allows(right("register"), receiver.registrant);
    return refused === undefined ? undefined : this.#runtime.allows(right("update"), receiver.registrant) && refused;
  }

  /** The authority of each who reads a topic, where all of them still may. */
  authority(topic: string, as: readonly Principal[]): readonly Authority[] | Fault {
    const right = reading(topic);
    const may: Authority[] = [];
    for (const one of as) {
      const authority = this.#runtime.authorize(right, one);
      if ("code" in authority) return authority;
      may.push(authority);
    }
    return may;
  }

  /**
   * Resolves once something was published under a topic after an entry, or `ms` have passed, or `signal` ends it: with the entry up
   * to which there was nothing. Those who wait are woken by what is theirs alone, and go on one after another.
   */
  async published(topic: string, after: number, ms: number, signal: AbortSignal): Promise<number> {
    if (signal.aborted) throw new FaultError(fault("STOPPING", "the node is shutting down; ask again later"));
    if (this.#feed.position > after) return after;
    const woken = Promise.withResolvers<number>();
    const leave = this.#feed.join({
      topic,
      wake: (entry) => this.#queue.add(() => woken.resolve(Math.max(after, entry - 1))),
    });
    const stop = this.#runtime.timers.after(ms, () => woken.resolve(Math.max(after, this.#feed.position)));
    const end = (): void => woken.resolve(after);
    signal.addEventListener("abort", end, { once: true });
    const entry = await woken.promise;
    signal.removeEventListener("abort", end);
    stop();
    leave();
    return entry;
  }
}
