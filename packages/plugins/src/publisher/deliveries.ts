// What the publisher does by itself: every subscription with a receiver is a line along the log, and so is every follower. What is
// durable of them are rows; here is what a process has of it, made anew by each start (docs/adr/0017).

import { type Fault, FaultError, fault, type PluginRuntime, type Principal, siblingId } from "@capstan/orchestrator";
import { type Protocols, protocols } from "../executor/protocols.ts";
import { actions } from "../registry/schema.ts";
import { Advances } from "./advances.ts";
import { FanOut } from "./fan-out.ts";
import { Feed } from "./feed.ts";
import { type Followed, Followers } from "./followers.ts";
import { History, type Turn } from "./history.ts";
import { Lines } from "./lines.ts";
import { Places } from "./places.ts";
import { Receiving } from "./receiving.ts";
import { RunQueue } from "./run-queue.ts";
import { cursorTable, type ReceiverRow, receiverTable, type SubscriptionRow, subscriptionTable } from "./schema.ts";
import { reading } from "./topic.ts";
import type { Want } from "./want.ts";
import { Wanted } from "./wanted.ts";

export interface DeliveryOptions {
  /** Milliseconds that a callback may take for a batch. Default: 30 s. */
  readonly patience?: number;
  /** Receivers that run at once; those that take long do not count. Default: 64. */
  readonly concurrency?: number;
  /** Messages that receivers may ask for because of one, beyond those of whom it reached first. Default: 1,000. */
  readonly fanOut?: number;
  /** Milliseconds that what runs gets to end as the node stops. Default: 1 s. */
  readonly grace?: number;
  /**
   * Milliseconds that a topic of another node is read on after the last who followed it left: who comes back within them has missed
   * nothing. Default: 10 minutes.
   */
  readonly linger?: number;
}

/** A subscription as it goes on in this process. */
interface Going extends Followed {
  row: SubscriptionRow;
  want: Want;
  /** Its cursor, as it was last written down, or is about to be. */
  noted: number;
  /** As it was when this was looked at last. */
  receiver: ReceiverRow | undefined;
  receiving: Receiving | undefined;
  stopped: Fault | undefined;
  /** How often in a row reading failed, and how to not have it tried again. */
  broken: number;
  again: (() => void) | undefined;
}

/** How a subscription goes on, for `subscription.show`. */
export interface Progress {
  readonly entry: number;
  readonly stopped: Fault | undefined;
  readonly followed: boolean;
  readonly left: Fault | undefined;
  readonly failing: Receiving["failing"];
}

/** A quiet subscription's cursor is written down once it is this far behind: what it need not keep, nobody should. */
const QUIET_ENTRIES = 1000;
/** Before what could not be read is read again: at first, and twice as long each time. */
const AGAIN_MS = 500;
const LONGEST_AGAIN_MS = 60_000;
/** Entries that change who is handed what. */
const TURNS = /^(subscription|receiver|grant|principal)\.|^log\.redact$|^action\.(register|remove)$/;
const NO_TURNS = new Set(["advance", "fail", "redelivered", "import", "release"].map((verb) => `subscription.${verb}`));

export class Deliveries {
  readonly history: History;
  readonly lines: Lines;
  readonly followers: Followers;
  readonly wanted: Wanted;
  readonly runtime: PluginRuntime;
  readonly protocols: Protocols;
  readonly fanOut: FanOut;
  /** Those who read page by page take turns, apart from those who are handed what comes. */
  readonly reads = new RunQueue();
  readonly #grace: number;
  readonly #queue = new RunQueue();
  readonly #feed: Feed;
  readonly #advances: Advances;
  readonly #places: Places;
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
    this.#places = new Places(runtime.timers, concurrency);
    this.#advances = new Advances(runtime);
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
    this.lines = new Lines(runtime, this.history, this.#feed, this.#queue);
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
    this.followers = new Followers(runtime, this.lines, this.wanted, patience);
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
    const entry = one.line === undefined ? one.reached : Math.max(one.reached, one.line.position);
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

  /** Ends everything, within its grace, and writes down how far it got. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#queue.stop();
    this.#feed.stop();
    this.wanted.stop();
    const running: Promise<void>[] = [];
    for (const one of this.#going.values()) {
      one.line?.end();
      one.again?.();
      if (one.receiving !== undefined) running.push(one.receiving.end());
    }
    let stop = (): void => {};
    const grace = new Promise<void>((resolve) => {
      stop = this.runtime.timers.after(this.#grace, resolve);
    });
    await Promise.race([Promise.all(running), grace]);
    stop();
    await this.#advances.flush();
  }

  #turned(turns: readonly Turn[]): void {
    let rights = false;
    let all = false;
    for (const { message, id } of turns) {
      if (message === "log.redact") this.history.forget();
      // Of one that begins the id is known; thousands may, and there may be thousands.
      else if (message === "subscription.create") this.#renew(siblingId(id, "s"));
      else if (message.startsWith("action.")) this.wanted.recheck();
      else all = true;
      // In the name of somebody else, who may read something else.
      if (message === "subscription.resume") this.wanted.recheck();
      if (message.startsWith("grant.") || message.startsWith("principal.")) rights = true;
    }
    if (all) this.#reconcile();
    if (!rights) return;
    this.wanted.recheck();
    this.followers.recheck();
    for (const { line } of this.#going.values()) if (line !== undefined) this.#queue.add(() => line.recheck());
  }

  /** Rows are what is meant: whoever is here without one ends, whoever is not here and has one begins. */
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
        line: undefined,
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
    else if (row.receiver !== undefined && one.line === undefined) this.#begin(one);
    // What waits to try again waited for this, perhaps.
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
    one.stopped = this.lines.whyNot(row, one.reached);
    if (one.stopped !== undefined) return;
    const receiving = new Receiving({
      ...{ runtime, protocols: this.protocols, fanOut: this.fanOut, places: this.#places, id },
      row: () => one.row,
      reached: (entry) => this.#reached(one, entry),
      gaveUp: (entry) => {
        one.reached = one.noted = entry;
        this.#advances.forget(id);
      },
      unreceived: () => this.#unreceived(one),
      still: async (published) => {
        const why = this.lines.whyNot(one.row, one.reached);
        if (why !== undefined) this.#halt(one, why);
        const refused = why ?? this.lines.refusal(one.row, published);
        return refused === undefined ? this.history.again(published) : undefined;
      },
    });
    one.receiving = receiving;
    one.line = this.lines.open({
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

  /** It goes no further, and is where it is. */
  #halt(one: Going, why: Fault): void {
    one.stopped = why;
    one.again?.();
    one.line?.end();
    void one.receiving?.end();
    one.line = one.receiving = undefined;
  }

  #drop(one: Going): void {
    this.#going.delete(one.id);
    this.wanted.remove(one.want);
    this.#advances.forget(one.id);
    one.follower?.end(fault("SUBSCRIPTION_UNKNOWN", `${one.id} was deleted`));
    this.#halt(one, fault("SUBSCRIPTION_UNKNOWN", `${one.id} was deleted`));
  }

  #reached(one: Going, entry: number): void {
    if (entry <= one.reached) return;
    one.reached = one.noted = entry;
    one.broken = 0;
    this.#advances.add(one.id, entry);
  }

  /** Of a subscription for which nothing came the cursor gets further all the same, now and then. */
  #noteQuiet(entry: number): void {
    if (entry - this.#quietAt < QUIET_ENTRIES) return;
    this.#quietAt = entry;
    for (const one of this.#going.values()) {
      if (one.line !== undefined && one.line.position - one.noted >= QUIET_ENTRIES)
        this.#reached(one, one.line.position);
    }
  }
}
