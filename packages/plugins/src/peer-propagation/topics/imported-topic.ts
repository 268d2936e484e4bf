// Imports one topic of another node into this node's log: page by page, one entry for each publication, and each entry names the place that it
// follows on (publisher/elsewhere/decide-import.ts). The place is in the logged row, so that a restart goes on from there.

import type { FaultError, Message, PluginRuntime } from "@capstan/orchestrator";
import { placeOf } from "../../publisher/cursor.ts";
import { importOf } from "../../publisher/elsewhere/arrival.ts";
import type { Import } from "../../publisher/elsewhere/import-schema.ts";
import type { ImportRow, Missed, TopicState, Topics } from "../../publisher/elsewhere/topics.ts";
import type { PeerName } from "../names.ts";
import { isUndone } from "../thrown.ts";
import { entryIn } from "./far-cursor.ts";
import type { Pace } from "./pace.ts";
import type { Relayed } from "./relayed-topic.ts";
import { MOST_IN_A_PAGE } from "./topic-messages.ts";
import type { TopicRelay } from "./topic-relay.ts";
import { isOfTheCursor, type Ways, whyOf } from "./ways.ts";

/** The wait of a request, as long as the reader's own: the answer then says how far the origin's log is. */
const WAIT_MS = 20_000;
/** How long a topic without publications makes room for others, where too many wait at once. */
const YIELDS_MS = 2_000;
/** Without a way it tries again when ways change, and after this pause, doubled each time up to the most. */
const PAUSE_MS = { first: 50, most: 2_000 };
/** How far the origin's log may be ahead of the place recorded here, without publications of the topic: then the place is recorded, because the origin may compact the entries. */
const MOST_AHEAD = 4_096;

export interface ImportedParts {
  readonly topics: Pick<Topics, "imported">;
  readonly runtime: Pick<PluginRuntime, "note" | "reader" | "timers" | "now" | "log">;
  readonly relay: TopicRelay;
  readonly ways: Ways;
  readonly pace: Pace;
  /** Whether there are more topics than a neighbour lets wait at once. */
  crowded(): boolean;
}

/** Another origin is used only where no way has led to the known one for so long: after a start ways come one by one. */
const FAITHFUL_MS = 60_000;
/** A page is dropped where its peer is so far beyond its rate: pages that wait are held in memory. */
const MOST_OWED_MS = 60_000;
/** The least time between two lost places, each of which makes an entry: a peer could claim restores without end. */
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
  /** A place beyond the row's cursor up to which there was nothing. */
  #passed: { readonly row: string; readonly next: string } | undefined;
  /** Since when no way leads to its origin, although ways lead to other origins. */
  #strayed: number | undefined;
  #lostAt = Number.NEGATIVE_INFINITY;
  /** The peer that the latest page came from. */
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

  /** Ways have changed: tries again. */
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
        // A peer that answers `nothing` before the wait is over is asked less and less often.
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

  /** How long it must not be read, in milliseconds, because its peer is beyond its rate. */
  #heldFor(): number {
    const { pace, ways } = this.#parts;
    const by = this.#by ?? ways.nearest(this.topic);
    const held = by === undefined ? 0 : pace.heldFor(by);
    if (held > 0) this.#waits(`more than ${pace.rateOf(by?.node ?? "")} publications a second come by ${by?.name}`);
    return held;
  }

  /** The origin to read from; `undefined` where there is none now. */
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

  /** One request. Answers whether it made progress. */
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
      // Many topics may have a page at once: this one is dropped, and read again later.
      if (this.#parts.pace.heldFor(page.by) > MOST_OWED_MS) {
        this.#by = page.by;
        return true;
      }
      // Only if nothing else has moved the place meanwhile.
      if (this.#row?.cursor === row.cursor && !this.#stop.signal.aborted) await this.#take(origin, row.cursor, page);
      return page.items.length > 0;
    } catch (thrown) {
      const why = WHY[(thrown as FaultError).code];
      if (!isOfTheCursor(thrown) || why === undefined) throw thrown;
      // The peer that said that there was nothing up to there was wrong.
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

  /** Records one entry for each publication; resolves once they are durable. */
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
    // Later ones were not recorded either: reading goes on from the row's place.
    if (refused !== undefined) throw refused.reason;
    if (this.#row?.cursor !== after) throw new Error(NO_LONGER);
    if (next === after) return;
    if (entryIn(next) - entryIn(after) >= MOST_AHEAD) await this.#note(by, { origin, after, cursor: next });
    else this.#passed = { row: after, next };
  }

  /** Begins at the end of the origin's log. */
  async #begin(origin: string, missed: Import["missed"]): Promise<void> {
    const { next, by } = await this.#read(origin, undefined);
    await this.#note(by, { origin, cursor: next, ...(missed === undefined ? {} : { missed }) });
  }

  /** The place is lost: goes on from where the origin says that one can, or from the end of its log. */
  async #lost(origin: string, cursor: string, why: Missed, thrown: FaultError): Promise<void> {
    const missed = { why, text: thrown.message.slice(0, 500) };
    const first = goesOnAt(why, thrown.details, cursor);
    // The reader may be asking another peer by now.
    const by = peerIn(thrown.details) ?? this.#parts.relay.by({ topic: this.topic, origin });
    this.#passed = undefined;
    if (first === undefined || by === undefined) return this.#begin(origin, missed);
    await this.#note(by, { origin, cursor: first, missed });
  }

  /** Records the place without a publication. */
  async #note(by: PeerName, said: Omit<Import, "topic" | "from">): Promise<void> {
    // Too late: nobody wants the topic now, and a place recorded now would be used by whoever wants it next.
    if (this.#stop.signal.aborted) throw new Error(NO_LONGER);
    this.#took(by, 1);
    const data = { topic: this.topic, from: { peer: by.name, node: by.node }, ...said };
    const message: Message = { resource: "subscription", action: "import", data };
    const before = this.#lostAt;
    if (said.missed !== undefined) this.#lostAt = this.#parts.runtime.now();
    await this.#parts.runtime.note(message).catch((thrown: unknown) => {
      // The append failed: this does not count as a lost place.
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

/** For a topic that is published here by now, or that nobody wants any more. */
const NO_LONGER = "it is not imported any more";

/**
 * The place from which a peer says that the log can be read: behind the cursor where the log was compacted, before it where it was restored. For
 * a restore the peer must name the start that it began (publisher/cursor.ts); a node that knows no such restore refuses such a cursor.
 */
function goesOnAt(why: Missed, details: unknown, cursor: string): string | undefined {
  const said = Object(details) as { readonly first?: unknown; readonly kept?: unknown };
  const to = why === "gone" ? said.first : why === "future" ? said.kept : undefined;
  const [place, before] = [placeOf(typeof to === "string" ? to : ""), placeOf(cursor)];
  if (place === undefined || before === undefined || place.log !== before.log) return undefined;
  const goesOn = why === "gone" ? place.entry > before.entry : place.entry < before.entry && place.start > before.start;
  return goesOn ? (to as string) : undefined;
}

/** The peer that answered with the fault (forward/far-answer.ts). */
function peerIn(details: unknown): PeerName | undefined {
  const { peer } = Object(details) as { readonly peer?: PeerName };
  return peer && { name: peer.name, node: peer.node };
}
