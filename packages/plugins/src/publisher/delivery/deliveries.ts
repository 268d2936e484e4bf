// The publisher's own work: each subscription with a receiver, and each follower, reads the log by a cursor of its own (topic-reader.ts). What is
// durable of them is in rows; this is the part in memory, which each start builds anew (docs/adr/0017).

import { type Fault, FaultError, fault, type PluginRuntime, type Principal, siblingId } from "@capstan/orchestrator";
import { type Protocols, protocols } from "../../executor/protocols.ts";
import { actions } from "../../registry/schema.ts";
import type { Want } from "../elsewhere/want.ts";
import { Wanted } from "../elsewhere/wanted.ts";
import { Feed } from "../feed.ts";
import { History, type Turn } from "../history.ts";
import { RunQueue } from "../run-queue.ts";
import { cursorTable, type ReceiverRow, receiverTable, type SubscriptionRow, subscriptionTable } from "../schema.ts";
import { reading } from "../topic.ts";
import { TopicReaders } from "../topic-readers.ts";
import { CursorWriter } from "./cursor-writer.ts";
import { FanOut } from "./fan-out.ts";
import { type Followed, Followers } from "./followers.ts";
import { Receiving } from "./receiving.ts";
import { Slots } from "./slots.ts";

export interface DeliveryOptions {
  /** How long a callback may take for a batch, in milliseconds. Default: 30 s. */
  readonly patience?: number;
  /** How many receivers run at once; one that takes long no longer counts (slots.ts). Default: 64. */
  readonly concurrency?: number;
  /** How many messages receivers may send because of one message, not counting those of its first subscribers (fan-out.ts). Default: 1,000. */
  readonly fanOut?: number;
  /** How long deliveries may go on while the node stops, in milliseconds. Default: 1 s. */
  readonly grace?: number;
  /**
   * For how long a topic of another node is still imported after its last follower has left, in milliseconds: a follower who comes back
   * within that time has missed nothing. Default: 10 minutes.
   */
  readonly linger?: number;
}

/** The state of a subscription in this process. */
interface Going extends Followed {
  row: SubscriptionRow;
  want: Want;
  /** The entry of its cursor as last written, or about to be. */
  noted: number;
  /** The receiver's row when it was last looked at. */
  receiver: ReceiverRow | undefined;
  receiving: Receiving | undefined;
  stopped: Fault | undefined;
  /** How often reading has failed in a row; and a function that cancels the next try. */
  broken: number;
  again: (() => void) | undefined;
}

/** The state of a subscription for `subscription.show`. */
export interface Progress {
  readonly entry: number;
  readonly stopped: Fault | undefined;
  readonly followed: boolean;
  readonly left: Fault | undefined;
  readonly failing: Receiving["failing"];
}

/** The cursor of a subscription without publications is moved on after so many entries, so that compaction need not keep them for it. */
const QUIET_ENTRIES = 1000;
/** How long to wait after reading failed: at first, then twice as long each time. */
const AGAIN_MS = 500;
const LONGEST_AGAIN_MS = 60_000;
/** Messages whose entries may change who gets what. */
const TURNS = /^(subscription|receiver|grant|principal)\.|^log\.redact$|^action\.(register|remove)$/;
const NO_TURNS = new Set(["advance", "fail", "redelivered", "import", "release"].map((verb) => `subscription.${verb}`));

export class Deliveries {
  readonly history: History;
  readonly readers: TopicReaders;
  readonly followers: Followers;
  readonly wanted: Wanted;
  readonly runtime: PluginRuntime;
  readonly protocols: Protocols;
  readonly fanOut: FanOut;
  /** Turns of callers who read page by page, apart from the turns of deliveries. */
  readonly reads = new RunQueue();
  readonly #grace: number;
  readonly #queue = new RunQueue();
  readonly #feed: Feed;
  readonly #cursors: CursorWriter;
  readonly #slots: Slots;
  readonly #going = new Map<string, Going>();
  readonly #stopping = new AbortController();
  #quietAt: number;

  constructor(
    runtime: PluginRuntime,
    { patience = 30_000, concurrency = 64, fanOut = 1000, grace = 1000, linger = 600_000 }: DeliveryOptions,
  ) {
    this.#grace = grace;
    this.runtime = runtime;
    this.protocols = runtime.given(protocols);
    this.fanOut = new FanOut(runtime.reader, fanOut);
    this.#slots = new Slots(runtime.timers, concurrency);
    this.#cursors = new CursorWriter(runtime);
    this.history = new History({
      reader: runtime.reader,
      durable: () => runtime.durable,
      isTurn: (message) => TURNS.test(message) && !NO_TURNS.has(message),
    });
    this.#quietAt = runtime.durable;
    this.#feed = new Feed({
      history: this.history,
      runtime,
      heeded: () =>
        this.#going.size > 0 ||
        this.wanted.active ||
        !runtime.reader.rows(subscriptionTable)[Symbol.iterator]().next().done,
      turned: (turns) => this.#turned(turns),
      undone: () => {
        this.#reconcile();
        this.wanted.recheck();
      },
      passed: (entry) => this.#noteQuiet(entry),
    });
    this.readers = new TopicReaders(runtime, this.history, this.#feed, this.#queue);
    this.wanted = new Wanted({
      ...{ reader: runtime.reader, actions: runtime.given(actions), timers: runtime.timers, log: runtime.log, linger },
      now: () => runtime.now(),
      held: () => this.#wants(),
      authority: (topic, as) => {
        const authority = runtime.authorize(reading(topic), as);
        return "code" in authority ? undefined : authority;
      },
      defer: (task) => this.#queue.add(task),
    });
    this.followers = new Followers(runtime, this.readers, this.wanted, patience);
    this.#reconcile();
  }

  /** Aborted when the node stops. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  progress(id: string): Progress | undefined {
    const one = this.#going.get(id);
    if (one === undefined) return undefined;
    const { stopped, left, follower, receiving } = one;
    const entry = one.reader === undefined ? one.reached : Math.max(one.reached, one.reader.position);
    return { entry, stopped, left, followed: follower !== undefined, failing: receiving?.failing };
  }

  /** A callback follows a subscription; answers its name, and from which entry on. */
  follow(id: string, as: Principal, reference: string): { readonly name: string; readonly entry: number } {
    this.#renew(id);
    const one = this.#going.get(id);
    if (one === undefined) throw new FaultError(fault("SUBSCRIPTION_UNKNOWN", `there is no subscription ${id}`));
    const { reached: entry } = one;
    return { name: this.followers.subscription(one, as, reference, (to) => this.#reached(one, to)), entry };
  }

  /** Ends all deliveries within the grace time, and writes the cursors. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#queue.stop();
    this.#feed.stop();
    this.wanted.stop();
    const running: Promise<void>[] = [];
    for (const one of this.#going.values()) {
      one.reader?.end();
      one.again?.();
      if (one.receiving !== undefined) running.push(one.receiving.end());
    }
    let stop = (): void => {};
    const grace = new Promise<void>((resolve) => {
      stop = this.runtime.timers.after(this.#grace, resolve);
    });
    await Promise.race([Promise.all(running), grace]);
    stop();
    await this.#cursors.flush();
  }

  #turned(turns: readonly Turn[]): void {
    let rights = false;
    let all = false;
    for (const { message, id } of turns) {
      if (message === "log.redact") this.history.forget();
      // The id of a new subscription is known from the message, so that not all of them need be looked at.
      else if (message === "subscription.create") this.#renew(siblingId(id, "s"));
      else if (message.startsWith("action.")) this.wanted.recheck();
      else all = true;
      // It goes on in the name of whoever resumed it, who may have other rights.
      if (message === "subscription.resume") this.wanted.recheck();
      if (message.startsWith("grant.") || message.startsWith("principal.")) rights = true;
    }
    if (all) this.#reconcile();
    if (!rights) return;
    this.wanted.recheck();
    this.followers.recheck();
    for (const { reader } of this.#going.values()) if (reader !== undefined) this.#queue.add(() => reader.recheck());
  }

  /** Brings the state in memory in line with the rows: subscriptions without a row end, new ones begin. */
  #reconcile(): void {
    for (const id of [...this.#going.keys()]) this.#renew(id);
    for (const [id] of this.runtime.reader.rows(subscriptionTable)) if (!this.#going.has(id)) this.#renew(id);
  }

  #renew(id: string): void {
    if (this.stopping.aborted) return;
    const { reader } = this.runtime;
    const row = reader.get(subscriptionTable, id);
    const known = this.#going.get(id);
    if (row === undefined) {
      if (known !== undefined) this.#drop(known);
      return;
    }
    const cursor = reader.get(cursorTable, id) ?? 0;
    const one: Going = known ?? {
      ...{ id, row, reached: cursor, noted: cursor, want: { topic: row.topic, as: () => one.row } },
      ...{
        receiver: undefined,
        reader: undefined,
        receiving: undefined,
        follower: undefined,
        stopped: undefined,
        broken: 0,
        again: undefined,
        left: undefined,
      },
    };
    if (known === undefined) this.#going.set(id, one);
    if (known === undefined) this.wanted.add(one.want);
    one.row = row;
    one.reached = Math.max(one.reached, cursor);
    const received = row.receiver === undefined ? undefined : reader.get(receiverTable, row.receiver);
    if (row.receiver !== undefined && received === undefined) this.#unreceived(one);
    else if (row.receiver !== undefined && one.reader === undefined) this.#begin(one);
    // A delivery that waits for its next try may have waited for the new receiver.
    if (one.receiver !== received) one.receiving?.hurry();
    one.receiver = received;
  }

  *#wants(): Iterable<Want> {
    for (const { want } of this.#going.values()) yield want;
    yield* this.followers.wants;
  }

  #begin(one: Going): void {
    const { row, id } = one;
    const { runtime } = this;
    one.stopped = this.readers.whyNot(row, one.reached);
    if (one.stopped !== undefined) return;
    const receiving = new Receiving({
      ...{ runtime, protocols: this.protocols, fanOut: this.fanOut, slots: this.#slots, id },
      row: () => one.row,
      reached: (entry) => this.#reached(one, entry),
      gaveUp: (entry) => {
        one.reached = one.noted = entry;
        this.#cursors.forget(id);
      },
      unreceived: () => this.#unreceived(one),
      still: async (published) => {
        const why = this.readers.whyNot(one.row, one.reached);
        if (why !== undefined) this.#halt(one, why);
        const refused = why ?? this.readers.refusal(one.row, published);
        return refused === undefined ? this.history.again(published) : undefined;
      },
    });
    one.receiving = receiving;
    one.reader = this.readers.open({
      ...{ topic: row.topic, position: one.reached, as: () => [one.row], receiver: () => one.row.receiver },
      deliver: (items, to) => receiving.deliver(items, to),
      ended: (why) => this.#halt(one, why),
      broke: (why) => {
        this.#halt(one, why);
        const wait = Math.min(AGAIN_MS * 2 ** one.broken++, LONGEST_AGAIN_MS);
        one.again = this.runtime.timers.after(wait, () => {
          if (one.stopped === why) this.#begin(one);
        });
      },
    });
  }

  #unreceived(one: Going): void {
    this.#halt(
      one,
      fault("RECEIVER_UNKNOWN", `there is no receiver "${one.row.receiver}"; register it, and it goes on`),
    );
  }

  /** Stops the subscription at its place. */
  #halt(one: Going, why: Fault): void {
    one.stopped = why;
    one.again?.();
    one.reader?.end();
    void one.receiving?.end();
    one.reader = one.receiving = undefined;
  }

  #drop(one: Going): void {
    this.#going.delete(one.id);
    this.wanted.remove(one.want);
    this.#cursors.forget(one.id);
    one.follower?.end(fault("SUBSCRIPTION_UNKNOWN", `${one.id} was deleted`));
    this.#halt(one, fault("SUBSCRIPTION_UNKNOWN", `${one.id} was deleted`));
  }

  #reached(one: Going, entry: number): void {
    if (entry <= one.reached) return;
    one.reached = one.noted = entry;
    one.broken = 0;
    this.#cursors.add(one.id, entry);
  }

  /** Moves on the cursors of subscriptions that had no publication for long. */
  #noteQuiet(entry: number): void {
    if (entry - this.#quietAt < QUIET_ENTRIES) return;
    this.#quietAt = entry;
    for (const one of this.#going.values()) {
      if (one.reader !== undefined && one.reader.position - one.noted >= QUIET_ENTRIES)
        this.#reached(one, one.reader.position);
    }
  }
}
