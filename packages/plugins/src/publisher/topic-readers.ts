// What all readers of topics share: the history, the feed at the head, the queue of turns, and the checks of rights.

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
import type { Published } from "./publication.ts";
import type { RunQueue } from "./run-queue.ts";
import { receiverTable, type SubscriptionRow } from "./schema.ts";
import { nameIn, reading, unknownTopic } from "./topic.ts";
import { TopicReader, type TopicReaderParts } from "./topic-reader.ts";

export interface TopicReaderOptions extends Pick<TopicReaderParts, "topic" | "deliver"> {
  /** It reads what comes after this entry. */
  readonly position: number;
  /** All principals in whose name it reads: each of them must have the right. */
  as(): readonly Principal[];
  /** The receiver that gets the publications: its registrant must still have the right to register it. */
  receiver?(): string | undefined;
  /** Called when it has ended: a right is missing, or entries to read are gone. */
  ended(why: Fault): void;
  /** Called when it has ended because reading failed. */
  broke(why: Fault): void;
}

export class TopicReaders {
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

  open({ topic, position, as, receiver, deliver, ended, broke }: TopicReaderOptions): TopicReader {
    const { reader, log } = this.#runtime;
    const parts: TopicReaderParts = {
      ...{ topic, history: this.#history, feed: this.#feed, queue: this.#queue, deliver, refused: ended },
      authority: () => this.#withdrawn(receiver?.()) ?? this.authority(topic, as()),
      gone: (entry) => goneBefore(entry, reader),
      broke: (thrown) => {
        log.error({ topic, error: String(thrown) }, "publications could not be read on");
        const unread = fault("INTERNAL", "publications could not be read on; the server's log names why");
        broke(thrown instanceof FaultError ? thrown.toFault() : unread);
      },
    };
    return new TopicReader(parts, position);
  }

  /** Why a subscription cannot go on now; `undefined` where it can. */
  whyNot(row: SubscriptionRow, entry: number): Fault | undefined {
    const may = this.#withdrawn(row.receiver) ?? this.authority(row.topic, [row]);
    return goneBefore(entry, this.#runtime.reader) ?? ("code" in may ? (may as Fault) : undefined);
  }

  /** Why a subscription may not get a publication now; `undefined` where it may. */
  refusal(row: SubscriptionRow, { topic }: Published): Fault | undefined {
    const may = this.#withdrawn(row.receiver) ?? this.authority(row.topic, [row]);
    if ("code" in may) return may as Fault;
    return may.every((each) => each.reads(nameIn(topic))) ? undefined : unknownTopic(topic, []);
  }

  /** Why a receiver gets nothing: its registrant may neither register nor update it any more. */
  #withdrawn(name: string | undefined): Fault | undefined {
    const receiver = name === undefined ? undefined : this.#runtime.reader.get(receiverTable, name);
    if (receiver === undefined) return undefined;
    const right = (verb: string) => ({ resource: "receiver", verb, name: receiver.name });
    const refused = this.#runtime.allows(right("register"), receiver.registrant);
    return refused === undefined ? undefined : this.#runtime.allows(right("update"), receiver.registrant) && refused;
  }

  /** The authorities of all who read a topic; a fault where one of them may not any more. */
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
   * Resolves once something of the topic was published after an entry, or `ms` milliseconds have passed, or `signal` is aborted: with the entry
   * up to which there was nothing. Waiting callers are woken only by their own topic, and go on one after another.
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
