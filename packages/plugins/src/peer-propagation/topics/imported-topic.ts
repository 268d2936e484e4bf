// A topic of another node that somebody here wants, on its way into this node's log: page after page, one entry a publication, each
// saying what it follows on (publisher/decide-import.ts). Where it goes on is the row's to say, so that a restart changes nothing.

import type { FaultError, Message, PluginRuntime } from "@capstan/orchestrator";
import { importOf } from "../../publisher/arrival.ts";
import { placeOf } from "../../publisher/cursor.ts";
import type { ImportRow, Missed, TopicState, Topics } from "../../publisher/elsewhere.ts";
import type { Import } from "../../publisher/import-schema.ts";
import type { PeerName } from "../forward/far-answer.ts";
import { isUndone } from "../routes/reach.ts";
import { entryIn } from "./far-cursor.ts";
import type { Pace } from "./pace.ts";
import type { Relayed } from "./relayed-topic.ts";
import { MOST_IN_A_PAGE } from "./topic-messages.ts";
import type { TopicRelay } from "./topic-relay.ts";
import { isOfTheCursor, type Ways, whyOf } from "./ways.ts";

/** As long as the reader's own wait: then it says how far the origin's log is. */
const WAIT_MS = 20_000;
/** Then, so long one for which nothing came makes room for another, where there are too many. */
const YIELDS_MS = 2_000;
/** Without a way it looks again when ways change, and after this, then twice as long, up to the most. */
const PAUSE_MS = { first: 50, most: 2_000 };
/** Entries that the origin's log may be ahead of what is noted here, where none of them is of the topic: noted, and then compacted there. */
const MOST_AHEAD = 4_096;

export interface ImportedParts {
  readonly topics: Pick<Topics, "imported">;
  readonly runtime: Pick<PluginRuntime, "note" | "reader" | "timers" | "now" | "log">;
  readonly relay: TopicRelay;
  readonly ways: Ways;
  readonly pace: Pace;
  /** Whether there are more topics than a neighbour has wait at once. */
  crowded(): boolean;
}

/** Another origin's log is begun only where no way led to the known one for so long: ways come one by one after a start. */
const FAITHFUL_MS = 60_000;
/** A page of a peer that owes more than this is left where it is: all that is on its way into the log is in memory. */
const MOST_OWED_MS = 60_000;
/** Between two places that are given up, each for an entry: a log is not restored twice in a minute, but somebody may say so for ever. */
const LOSSES_MS = 60_000;

const WHY: Readonly<Record<string, Missed>> = {
  CURSOR_GONE: "gone",
  CURSOR_FOREIGN: "foreign",
  CURSOR_FUTURE: "future",
};

export class ImportedTopic {
  readonly topic: string;
  readonly #parts: ImportedParts;
  readonly #stop = new AbortController();
  /** Up to where there was nothing, beyond the row's cursor. */
  #passed: { readonly row: string; readonly next: string } | undefined;
  /** Since when no way leads to its origin, while there are ways to others. */
  #strayed: number | undefined;
  #lostAt = Number.NEGATIVE_INFINITY;
  /** By whom the last came. */
  #by: PeerName | undefined;
  #state: TopicState;
  #wake: (() => void) | undefined;

  constructor(topic: string, parts: ImportedParts) {
    this.topic = topic;
    this.#parts = parts;
    this.#state = { reading: false, why: "it has just begun", since: parts.runtime.now() };
    void this.#run();
  }

  get state(): TopicState {
    const { origin, reading } = this.#state;
    const by = origin === undefined ? undefined : this.#parts.relay.by({ topic: this.topic, origin });
    return reading && by !== undefined ? { ...this.#state, via: by.name } : this.#state;
  }

  /** Ways changed: there may be one now. */
  look(): void {
    this.#wake?.();
  }

  stop(): void {
    this.#stop.abort();
    this.look();
  }

  get #row(): ImportRow | undefined {
    return this.#parts.runtime.reader.get(this.#parts.topics.imported, this.topic);
  }

  async #run(): Promise<void> {
    let pause = PAUSE_MS.first;
    while (!this.#stop.signal.aborted) {
      const held = this.#heldFor();
      if (held > 0) {
        await this.#pause(held);
        continue;
      }
      const origin = this.#origin();
      try {
        const began = this.#parts.runtime.now();
        const came = origin !== undefined && (await this.#step(origin));
        // Who says sooner than they were asked to that there is nothing is asked less and less.
        if (came || (origin !== undefined && this.#parts.runtime.now() - began > WAIT_MS / 2)) {
          pause = PAUSE_MS.first;
          if (!came && this.#parts.crowded()) await this.#pause(YIELDS_MS);
          continue;
        }
      } catch (thrown) {
        this.#waits(whyOf(thrown), origin);
      }
      await this.#pause(pause);
      pause = Math.min(pause * 2, PAUSE_MS.most);
    }
  }

  /** Milliseconds for which it is not read on: more comes by whoever leads to it than may. */
  #heldFor(): number {
    const { pace, ways } = this.#parts;
    const by = this.#by ?? ways.nearest(this.topic);
    const held = by === undefined ? 0 : pace.heldFor(by);
    if (held > 0) this.#waits(`more than ${pace.rateOf(by?.node ?? "")} publications a second come by ${by?.name}`);
    return held;
  }

  /** Whose log it is read from; `undefined`: nobody's for now. */
  #origin(): string | undefined {
    const known = this.#row?.origin;
    const origins = this.#parts.ways.originsOf(this.topic);
    const [other] = origins;
    if (known === undefined || other === undefined || origins.includes(known)) {
      this.#strayed = undefined;
      if (other === undefined) this.#waits("no node that leads to it is known");
      return known !== undefined && origins.includes(known) ? known : other;
    }
    const now = this.#parts.runtime.now();
    this.#strayed ??= now;
    if (now - this.#strayed >= FAITHFUL_MS) return other;
    this.#waits(
      `no way leads to ${known} now; ${other}, which publishes it too, is begun with ${FAITHFUL_MS / 1000} s later`,
    );
    return undefined;
  }

  /** Whether it got anywhere. */
  async #step(origin: string): Promise<boolean> {
    const row = this.#row;
    if (row?.origin !== origin) {
      const missed = row && { why: "origin" as const, text: `it was published by ${row.origin}, and now by ${origin}` };
      await this.#begin(origin, missed);
      return true;
    }
    const after = this.#passed?.row === row.cursor ? this.#passed.next : row.cursor;
    try {
      this.#reads(origin);
      const page = await this.#read(origin, after);
      // Many topics at once, each with a page: what is not held on to is there to be read again.
      if (this.#parts.pace.heldFor(page.by) > MOST_OWED_MS) {
        this.#by = page.by;
        return true;
      }
      // Whatever was noted meanwhile, it was not by this.
      if (this.#row?.cursor === row.cursor && !this.#stop.signal.aborted) await this.#take(origin, row.cursor, page);
      return page.items.length > 0;
    } catch (thrown) {
      const why = WHY[(thrown as FaultError).code];
      if (!isOfTheCursor(thrown) || why === undefined) throw thrown;
      // Whoever said that there was nothing up to there was wrong, or lied: what arrived says more.
      if (after !== row.cursor) {
        this.#passed = undefined;
        return true;
      }
      if (this.#parts.runtime.now() - this.#lostAt < LOSSES_MS) throw thrown;
      await this.#lost(origin, row.cursor, why, thrown);
      return true;
    }
  }

  #read(origin: string, after: string | undefined): Promise<Relayed> {
    const asked = { topic: this.topic, origin, limit: MOST_IN_A_PAGE, wait: WAIT_MS, via: [] };
    return this.#parts.relay.read(after === undefined ? asked : { ...asked, after }, this.#stop.signal);
  }

  /** One entry each, and the next page once they are durable. */
  async #take(origin: string, from: string, { items, next, size, by }: Relayed): Promise<void> {
    this.#took(by, items.length, size);
    let after = from;
    const noted = items.map((publication) => {
      const { message, origin: of } = importOf({ origin, from: { peer: by.name, node: by.node }, after, publication });
      after = publication.cursor;
      return this.#parts.runtime.note(message, of);
    });
    const results = await Promise.allSettled(noted);
    const refused = results.find((result) => result.status === "rejected");
    // What comes after it was not taken in either: it goes on from the row.
    if (refused !== undefined) throw refused.reason;
    if (this.#row?.cursor !== after) throw new Error(NO_LONGER);
    if (next === after) return;
    if (entryIn(next) - entryIn(after) >= MOST_AHEAD) await this.#note(by, { origin, after, cursor: next });
    else this.#passed = { row: after, next };
  }

  /** From now on. */
  async #begin(origin: string, missed: Import["missed"]): Promise<void> {
    const { next, by } = await this.#read(origin, undefined);
    await this.#note(by, { origin, cursor: next, ...(missed === undefined ? {} : { missed }) });
  }

  /** Nobody can read on from the cursor: from where its origin says that one can, or from now on. */
  async #lost(origin: string, cursor: string, why: Missed, thrown: FaultError): Promise<void> {
    const missed = { why, text: thrown.message.slice(0, 500) };
    const first = goesOnAt(why, thrown.details, cursor);
    const by = this.#parts.relay.by({ topic: this.topic, origin }) ?? peerIn(thrown.details);
    this.#passed = undefined;
    if (first === undefined || by === undefined) return this.#begin(origin, missed);
    await this.#note(by, { origin, cursor: first, missed });
  }

  /** How far it is, where nothing was published. */
  async #note(by: PeerName, said: Omit<Import, "topic" | "from">): Promise<void> {
    // The answer came late: what is noted now would be taken up by whoever wants it next.
    if (this.#stop.signal.aborted) throw new Error(NO_LONGER);
    this.#took(by, 1);
    const data = { topic: this.topic, from: { peer: by.name, node: by.node }, ...said };
    const message: Message = { resource: "subscription", action: "import", data };
    const before = this.#lostAt;
    if (said.missed !== undefined) this.#lostAt = this.#parts.runtime.now();
    await this.#parts.runtime.note(message).catch((thrown: unknown) => {
      // Nothing was written: it is for nobody to be believed less.
      if (isUndone(thrown)) this.#lostAt = before;
      throw thrown;
    });
    if (this.#row?.cursor !== said.cursor) throw new Error(NO_LONGER);
  }

  #took(by: PeerName, publications: number, characters?: number): void {
    this.#by = by;
    this.#parts.pace.took(by, publications, characters);
  }

  #reads(origin: string): void {
    if (this.#state.reading && this.#state.origin === origin) return;
    this.#state = { reading: true, origin, since: this.#parts.runtime.now() };
  }

  #waits(why: string, origin?: string): void {
    const since = this.#state.reading ? this.#parts.runtime.now() : this.#state.since;
    this.#state = { reading: false, why, since, ...(origin === undefined ? {} : { origin }) };
  }

  #pause(ms: number): Promise<void> {
    if (this.#stop.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const over = (): void => {
        stopTimer();
        this.#wake = undefined;
        resolve();
      };
      const stopTimer = this.#parts.runtime.timers.after(ms, over);
      this.#wake = over;
    });
  }
}

/** It is published here by now, or nobody wants it. */
const NO_LONGER = "it is not imported any more";

/**
 * Where a peer says that the log can be read on from: what is kept of it is behind the cursor, what a restore left of it before. Of a restore
 * it has to say the start that it began (publisher/cursor.ts): whoever knows of no such restore refuses that.
 */
function goesOnAt(why: Missed, details: unknown, cursor: string): string | undefined {
  const said = Object(details) as { readonly first?: unknown; readonly kept?: unknown };
  const to = why === "gone" ? said.first : why === "future" ? said.kept : undefined;
  const [place, before] = [placeOf(typeof to === "string" ? to : ""), placeOf(cursor)];
  if (place === undefined || before === undefined || place.log !== before.log) return undefined;
  const goesOn = why === "gone" ? place.entry > before.entry : place.entry < before.entry && place.start > before.start;
  return goesOn ? (to as string) : undefined;
}

/** Who said so (far-answer.ts). */
function peerIn(details: unknown): PeerName | undefined {
  const { peer } = Object(details) as { readonly peer?: PeerName };
  return peer;
}
