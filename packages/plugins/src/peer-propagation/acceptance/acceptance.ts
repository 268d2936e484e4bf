// Records the results of peers' updates, as counts and a digest: after a peer's first table, then ever more rarely while updates come, and at the end of
// a session. Without updates nothing is recorded.

import type { PluginRuntime } from "@capstan/orchestrator";
import type { Message } from "@capstan/peer";
import type { Companion, Updated } from "../companion.ts";
import type { PeerName } from "../names.ts";
import { isUndone } from "../thrown.ts";
import { type Digested, UpdateDigest } from "./update-digest.ts";

/** The first wait from an update to its entry, in milliseconds. */
const LEAST_WAIT_MS = 1000;
/**
 * The longest wait. Each entry doubles the wait, up to this; and for each time that this has passed without an entry, it is halved. However a
 * peer times its updates, there is one entry a minute in the long run.
 */
const MOST_WAIT_MS = 60_000;

/** Counts of routes, except `frames`. */
interface Counts {
  announced: number;
  withdrawn: number;
  filtered: number;
  malformed: number;
  limited: number;
  frames: number;
}

interface Session {
  readonly peer: PeerName;
  readonly heard: UpdateDigest;
  readonly told: UpdateDigest;
  counts: Counts;
  /** The number of an update that was processed and whose frame comes next. */
  taking: number | undefined;
  /** Whether its first table is complete. */
  whole: boolean;
  over: boolean;
  /** The wait until the next entry, as of the last one. */
  wait: number;
  notedAt: number;
  stopTimer: (() => void) | undefined;
}

type Runtime = Pick<PluginRuntime, "note" | "timers" | "log" | "now">;

export class Acceptance implements Companion {
  readonly #runtime: Runtime;
  readonly #sessions = new Map<string, Session>();
  /** Sessions that ended in this turn: the update that ended one is reported before its frame comes. */
  readonly #ending = new Map<string, Session>();
  readonly #notes = new Set<Promise<void>>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  established(peer: PeerName): void {
    this.#end(this.#sessions.get(peer.name));
    this.#sessions.set(peer.name, {
      ...{ peer, heard: new UpdateDigest(), told: new UpdateDigest(), counts: none() },
      ...{ taking: undefined, whole: false, over: false, stopTimer: undefined },
      ...{ wait: LEAST_WAIT_MS, notedAt: this.#runtime.now() },
    });
  }

  lost({ name }: PeerName): void {
    const session = this.#sessions.get(name);
    this.#sessions.delete(name);
    if (session === undefined) return;
    this.#ending.set(name, session);
    queueMicrotask(() => {
      this.#ending.delete(name);
      this.#end(session);
    });
  }

  outgoing({ name }: PeerName, frame: Message): Message {
    const session = frame.type === "update" ? this.#sessions.get(name) : undefined;
    if (session !== undefined) {
      session.told.add(frame, frame.seq);
      this.#soon(session);
    }
    return frame;
  }

  updated({ name }: PeerName, { seq, accepted, filtered, refused, withdrawn, malformed }: Updated): void {
    const session = this.#sessions.get(name);
    if (session === undefined) return;
    session.taking = seq;
    const { counts } = session;
    counts.announced += accepted + filtered + refused;
    counts.filtered += filtered;
    counts.limited += refused;
    counts.withdrawn += withdrawn;
    counts.malformed += malformed;
    counts.frames++;
  }

  incoming({ name }: PeerName, frame: unknown): void {
    const session = this.#ending.get(name) ?? this.#sessions.get(name);
    if (session === undefined) return;
    const { taking } = session;
    if (taking !== undefined) {
      session.taking = undefined;
      session.heard.add(frame, taking);
      this.#soon(session);
    } else if ((frame as { readonly type?: unknown } | null)?.type === "end-of-table" && !session.whole) {
      session.whole = true;
      this.#note(session);
    }
  }

  /** The digests of the present session, in both directions. */
  of(name: string): { readonly heard?: Digested; readonly told?: Digested } {
    const session = this.#sessions.get(name);
    const [heard, told] = [session?.heard.now(), session?.told.now()];
    return { ...(heard && { heard }), ...(told && { told }) };
  }

  /** Records what is left. Resolves once it is durable. */
  async stop(): Promise<void> {
    for (const session of this.#sessions.values()) this.#end(session);
    this.#sessions.clear();
    await Promise.all(this.#notes);
  }

  #end(session: Session | undefined): void {
    if (session === undefined || session.over) return;
    session.over = true;
    session.stopTimer?.();
    this.#note(session);
  }

  #soon(session: Session): void {
    if (session.over || session.stopTimer !== undefined) return;
    const runtime = this.#runtime;
    const quiet = Math.max(0, Math.floor((runtime.now() - session.notedAt) / MOST_WAIT_MS));
    const wait = Math.max(LEAST_WAIT_MS, session.wait / 2 ** quiet);
    session.stopTimer = runtime.timers.after(wait, () => {
      session.stopTimer = undefined;
      session.heard.settle();
      session.told.settle();
      if (!this.#note(session)) return;
      session.wait = Math.min(2 * wait, MOST_WAIT_MS);
      session.notedAt = runtime.now();
    });
  }

  /** @returns whether there was anything to record */
  #note(session: Session): boolean {
    const { counts, peer, heard } = session;
    const digested = counts.frames === 0 ? undefined : heard.now();
    if (digested === undefined) return false;
    session.counts = none();
    const { name, node } = peer;
    const noted = this.#runtime
      .note({ resource: "peer", action: "updated", data: { name, node, ...digested, ...counts } })
      .then(
        () => {},
        (thrown: unknown) => {
          // The append failed and the entry was undone: the counts go into the next one.
          if (isUndone(thrown) && !session.over) {
            add(session.counts, counts);
            this.#soon(session);
          } else
            this.#runtime.log.error(
              { name, error: String(thrown) },
              "what came of a peer's updates could not be noted",
            );
        },
      )
      .finally(() => this.#notes.delete(noted));
    this.#notes.add(noted);
    return true;
  }
}

function none(): Counts {
  return { announced: 0, withdrawn: 0, filtered: 0, malformed: 0, limited: 0, frames: 0 };
}

function add(to: Counts, more: Counts): void {
  for (const key of Object.keys(to) as (keyof Counts)[]) to[key] += more[key];
}
