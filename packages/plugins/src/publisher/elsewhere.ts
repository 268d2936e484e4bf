// Topics that are not here, and can be followed elsewhere: a session table that whoever knows ways has noted (`Topics.reach`), who
// reads there, and what of it somebody here waits for. What arrives is this node's own entry (`subscription.import`), and from there
// on a publication like any other: handed on by cursors over this log (docs/adr/0027).

import { type State, type Table, table, token } from "@capstan/orchestrator";
import type { RunQueue } from "./run-queue.ts";

/** The way to a topic that is not here. */
export interface TopicWay {
  /** Who noted it, and reads there: a key of `Topics.carriers`. */
  readonly by: string;
  /** The neighbour that leads there, as the operator calls it, and its node. */
  readonly peer: string;
  readonly node: string;
  /** Administrations on the way, the nearest first. */
  readonly path: readonly string[];
  /** The node that publishes. */
  readonly origin: string;
}

export interface TopicChange {
  readonly topic: string;
  /** `null`: there is none any more. */
  readonly way: Omit<TopicWay, "by"> | null;
}

/** A publication on its way from one node to another. */
export interface FarPublication {
  /** Never a pattern. */
  readonly topic: string;
  /** Where it stands in its origin's log: `<entry>.<log>`. Everything up to it is behind it. */
  readonly cursor: string;
  /** Of the message that it is of, in the origin's log. */
  readonly id: string;
  /** Milliseconds since the epoch, by the origin's clock. */
  readonly at: number;
  readonly data: unknown;
  readonly action?: string | undefined;
  /** As its origin calls them. */
  readonly principal?: string | undefined;
  readonly correlation?: string | undefined;
  readonly traceparent?: string | undefined;
  /** How many causes deep it was there. */
  readonly hops: number;
  /** The publication that a receiver was handed first, of all that led to this one; absent: none was, anywhere. */
  readonly root?: string | undefined;
  /** Characters of data that was too much for the way: `data` is `null` then. */
  readonly omitted?: number | undefined;
}

export interface TopicPage {
  /** In the order of the origin's log. */
  readonly items: readonly FarPublication[];
  /** Everything of the topic up to there is in `items`, or came before what was asked for. */
  readonly next: string;
}

export interface TopicRead {
  readonly topic: string;
  /** The node that publishes it: another one's log has other cursors. */
  readonly origin: string;
  /** A cursor of the origin's log; absent: from now on, so that nothing comes but `next`. */
  readonly after?: string | undefined;
  readonly limit: number;
  /** Milliseconds to wait where there is nothing yet. */
  readonly wait: number;
}

/** What was missed of a topic: a place that nobody can read on from any more, or one publication that could not be taken in. */
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

/** Where a topic that is imported has got to. */
export interface ImportRow {
  /** The node that publishes; another one's log has other cursors. */
  readonly origin: string;
  /** A cursor of its log: everything up to there arrived, or was missed for good. */
  readonly cursor: string;
  /** The neighbour by which the last arrived, as the operator calls it. */
  readonly via: string;
  /** Since when it is imported, and when the last publication came: milliseconds since the epoch. */
  readonly since: number;
  readonly at?: number;
  /** What was missed last, how often something was, and when there was an alert of which kind. */
  readonly missed?: MissedOnce & {
    readonly at: number;
    readonly times: number;
    readonly alerted: Readonly<Partial<Record<Missed, number>>>;
  };
}

/** How many alerts there were of what was missed by a neighbour, since when: milliseconds since the epoch. */
export interface ImportAlertRow {
  readonly since: number;
  readonly count: number;
}

/** How reading a topic goes on, as whoever reads it sees it. */
export interface TopicState {
  readonly reading: boolean;
  /** The neighbour that is asked, as the operator calls it. */
  readonly via?: string | undefined;
  readonly origin?: string | undefined;
  /** Why not. */
  readonly why?: string | undefined;
  /** Since when it is so: milliseconds since the epoch. */
  readonly since: number;
}

/** Reads topics elsewhere. */
export interface TopicCarrier {
  /** For `subscription.show`. */
  stateOf(topic: string): TopicState | undefined;
}

/** What of topics is for whoever carries them between nodes: under the token. */
export interface Topics {
  /** Topics elsewhere, by topic. Of those that are here too, the one that is here is meant. */
  readonly table: Table<TopicWay>;
  /** Where each topic that is imported has got to in its origin's log. Logged. */
  readonly imported: Table<ImportRow>;
  /** By `TopicWay.by`: added by plugins that come later, when they run. */
  readonly carriers: Map<string, TopicCarrier>;
  /**
   * Notes ways, 256 at most (`subscription.reach`). One that another noted is not taken away, and what is no topic is passed over.
   * @throws FaultError LOG_UNAVAILABLE where it was undone
   */
  reach(by: string, changes: readonly TopicChange[]): Promise<void>;
  /**
   * Publications of a topic that is here, for another node: who may read it was decided by whoever asks. What was imported is not
   * among them: whoever wants that is led to its origin. `signal` ends a wait; then the page is what there is. Looking through the log
   * takes turns of `queue`: one for each who asks, so that however much one asks for, others have theirs.
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

export const topics = token<Topics>()("topics");
