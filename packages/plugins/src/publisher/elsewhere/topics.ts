// The contract between the publisher and the plugins that carry topics between nodes (docs/adr/0027). A carrier notes the ways to topics elsewhere in a
// session table (`Topics.reach`), learns which of them are wanted here, and reads those. Each publication that arrives becomes an entry of this
// node (`subscription.import`), and is then delivered like its own.

import { type State, type Table, table, token } from "@capstan/orchestrator";
import type { RunQueue } from "../run-queue.ts";

/** The way to a topic that is not here. */
export interface TopicWay {
  /** The carrier that noted it and reads there: a key of `Topics.carriers`. */
  readonly by: string;
  /** The neighbour through which it is reached: the operator's name for it, and its node id. */
  readonly peer: string;
  readonly node: string;
  /** The domains on the way, the nearest first. */
  readonly path: readonly string[];
  /** The node that publishes. */
  readonly origin: string;
}

export interface TopicChange {
  readonly topic: string;
  /** `null` where there is no longer a way. */
  readonly way: Omit<TopicWay, "by"> | null;
}

/** A publication on its way from one node to another. */
export interface FarPublication {
  /** Never a pattern. */
  readonly topic: string;
  /** Its place in the origin's log (cursor.ts). */
  readonly cursor: string;
  /** The id of its message in the origin's log. */
  readonly id: string;
  /** Milliseconds since the epoch, by the origin's clock. */
  readonly at: number;
  readonly data: unknown;
  readonly action?: string | undefined;
  /** The principal's name at the origin. */
  readonly principal?: string | undefined;
  readonly correlation?: string | undefined;
  readonly traceparent?: string | undefined;
  /** The depth of its chain of causes at the origin. */
  readonly hops: number;
  /** The publication at the root, where receivers led to this one (delivery/fan-out.ts). */
  readonly root?: string | undefined;
  /** The length, in characters, of data that was too large to send: `data` is `null` then. */
  readonly omitted?: number | undefined;
}

/** A page of publications of one topic. */
export interface TopicPage {
  /** In the order of the origin's log. */
  readonly items: readonly FarPublication[];
  /** The cursor from which to go on: all later publications are still to come. */
  readonly next: string;
}

/** What to read of a topic. */
export interface TopicRead {
  readonly topic: string;
  /** The node that publishes it, whose log the cursor is of. */
  readonly origin: string;
  /** A cursor of the origin's log. Absent: from now on; the page then has only `next`. */
  readonly after?: string | undefined;
  readonly limit: number;
  /** How long to wait where there is nothing yet, in milliseconds. */
  readonly wait: number;
}

/** Why publications of a topic were missed: nobody can read on from the place, or a publication could not be imported. */
export type Missed =
  | "gone" // the origin's log was compacted past the cursor
  | "origin" // another node publishes it now
  | "foreign" // the origin has another log now
  | "future" // the origin's log is from before: it was restored
  | "too-large"
  | "unfit" // it is no plain data, or says what nobody can have published
  | "loop"; // it is as many causes deep as may be

export interface MissedOnce {
  readonly why: Missed;
  readonly text: string;
}

/** The place of an imported topic. */
export interface ImportRow {
  /** The node that publishes it, whose log the cursor is of. */
  readonly origin: string;
  /** Everything up to this cursor has arrived, or was missed for good. */
  readonly cursor: string;
  /** The neighbour through which the latest came, by the operator's name. */
  readonly via: string;
  /** Since when it is imported, and when the last publication came: milliseconds since the epoch. */
  readonly since: number;
  readonly at?: number;
  /** What was missed last, how often, and when the last alert of each kind was. */
  readonly missed?: MissedOnce & {
    readonly at: number;
    readonly times: number;
    readonly alerted: Readonly<Partial<Record<Missed, number>>>;
  };
}

/** How many alerts about one neighbour there were since a time, in milliseconds since the epoch. */
export interface ImportAlertRow {
  readonly since: number;
  readonly count: number;
}

/** A carrier's state of reading a topic. */
export interface TopicState {
  readonly reading: boolean;
  /** The neighbour that is asked, by the operator's name. */
  readonly via?: string | undefined;
  readonly origin?: string | undefined;
  /** Why it is not being read. */
  readonly why?: string | undefined;
  /** Since when it is so: milliseconds since the epoch. */
  readonly since: number;
}

/** Reads topics elsewhere. */
export interface TopicCarrier {
  /** For `subscription.show`. */
  stateOf(topic: string): TopicState | undefined;
}

/** What the publisher offers to carriers, under the token `topics`. */
export interface Topics {
  /** Ways to topics elsewhere, by topic. A topic that is also here is read here. */
  readonly table: Table<TopicWay>;
  /** The places of imported topics in their origins' logs. A logged table. */
  readonly imported: Table<ImportRow>;
  /** By `TopicWay.by`: added by plugins that come later, when they run. */
  readonly carriers: Map<string, TopicCarrier>;
  /**
   * Notes up to 256 ways (`subscription.reach`). Ways of another carrier are not removed, and names that are no topics are skipped.
   * @throws FaultError LOG_UNAVAILABLE where the message was undone
   */
  reach(by: string, changes: readonly TopicChange[]): Promise<void>;
  /**
   * A page of publications of this node's own topics, for another node. The caller has checked that the node may read them. Imported ones are
   * left out: those are read at their origin.
   * @param signal ends a wait; the page then has what there is
   * @param queue the turns in which the log is scanned: one queue for each asking node, so that no node holds up another
   * @throws FaultError TOPIC_UNKNOWN, CURSOR_INVALID, CURSOR_GONE (`details.first`), CURSOR_FOREIGN, CURSOR_FUTURE, STOPPING
   */
  read(asked: TopicRead, signal: AbortSignal, queue?: RunQueue): Promise<TopicPage>;
  /**
   * Calls back with the topics elsewhere that somebody here subscribes to, follows or waits for: at once, and whenever it is another
   * set. A topic that has no way for now stays in it, with its place. Answers how to stop that.
   */
  follow(wanted: (topics: ReadonlySet<string>) => void): () => void;
}

export const topicElsewhereTable = table<TopicWay>("topicElsewhere", "session");
export const importedTable = table<ImportRow>("imported");
/** By the neighbour's node. */
export const importAlertTable = table<ImportAlertRow>("importAlert");

/** Whether there is a way to a topic, or something of it arrived here. */
export function isElsewhere(rows: Pick<State, "get">, topic: string): boolean {
  return (rows.get(importedTable, topic) ?? rows.get(topicElsewhereTable, topic)) !== undefined;
}

/** Topics elsewhere to suggest one of: all that there are, of a bounded number. */
export function* someElsewhere(rows: Pick<State, "rows">): Iterable<string> {
  let left = MOST_SUGGESTED;
  for (const [topic] of rows.rows(topicElsewhereTable)) {
    if (left-- === 0) return;
    yield topic;
  }
}

/** Comparing with each takes its time of the loop. */
const MOST_SUGGESTED = 1000;

/** The token under which the publisher offers `Topics`. */
export const topics = token<Topics>()("topics");
