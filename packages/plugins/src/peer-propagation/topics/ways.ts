// Reads a topic from a neighbour that leads to its origin: first from the one on the best path, then from the next, with the same cursor. A neighbour
// that fails, hangs or answers an invalid page is left out for some time, so that it does not hold up readers again.

import { type Fault, FaultError, fault, type Message, type PluginRuntime, printable } from "@capstan/orchestrator";
import { Slots } from "../../publisher/delivery/slots.ts";
import type { TopicRead } from "../../publisher/elsewhere/topics.ts";
import type { FewLines } from "../few-lines.ts";
import { farFault, isFarFault } from "../forward/far-answer.ts";
import type { Neighbour } from "../forward/neighbour.ts";
import { release } from "../links/outbox.ts";
import type { PeerName } from "../names.ts";
import { routeOfTopic } from "../routes/topic-route.ts";
import { textOf } from "../thrown.ts";
import { type FarPage, readPage } from "./far-page.ts";

export interface Path {
  /** The neighbour's node id; `undefined` for our own routes. */
  readonly peer: string | undefined;
  /** The node that publishes. */
  readonly origin: string;
}

export interface TopicPeers {
  /** The unfiltered paths to a route, best first. */
  pathsOf(route: string): readonly Path[];
  /** The neighbour; `undefined` where nothing can be sent to it now. */
  neighbour(node: string): Neighbour | undefined;
  /** A neighbour's rate in publications a second; `undefined` where its limits name none. */
  rateOf(node: string): number | undefined;
}

export interface Asking extends TopicRead {
  /** The nodes that the request came through, without this one. */
  readonly via: readonly string[];
}

export interface WaysParts {
  readonly peers: TopicPeers;
  readonly runtime: Pick<PluginRuntime, "timers" | "now">;
  readonly lines: FewLines;
  /** How long a neighbour may take to answer beyond the wait, in milliseconds. */
  readonly patience: number;
}

/** How long a neighbour is left out after a failure, doubled each time up to the most. */
const REST_MS = {
  lost: { first: 50, most: 1_000 },
  failed: { first: 500, most: 60_000 },
  full: { first: 500, most: 10_000 },
};
/**
 * The most requests that one neighbour lets wait at once; more take turns here. It lets 1,024 wait (topic-relay.ts), and refuses the others without any
 * order: some of them would never be read. The rest is for requests that do not wait.
 */
const MOST_WAITS = 960;
/** At so many records of resting neighbours old ones are removed; then at twice the number that was left. */
const SWEPT_AT = 1_000;
/** Faults about a cursor's place, which only the origin can know. */
const OF_THE_CURSOR: ReadonlySet<string> = new Set(["CURSOR_GONE", "CURSOR_FOREIGN", "CURSOR_FUTURE"]);
/** Faults of a neighbour that has no way itself now, or is stopping: it has done nothing wrong. */
const NO_WAY: ReadonlySet<string> = new Set([
  ...["TOPIC_UNREACHABLE", "TOPIC_UNKNOWN", "STOPPING", "PEER_SESSION_OVER", "FORWARDED_BACK", "HOPS_EXCEEDED"],
  ...["LOG_UNAVAILABLE"],
]);

const NOBODY: ReadonlySet<string> = new Set();

export interface Found {
  readonly page: FarPage;
  readonly by: PeerName;
}

/** Told of each neighbour that is asked. @param given ends the request when nobody waits for it any more */
type Choosing = (peer: PeerName, given: () => void) => void;
type Outcome = Found | { readonly why: string; readonly cursor?: FaultError };

interface Rest {
  readonly until: number;
  readonly ms: number;
  readonly why: string;
}

export class Ways {
  readonly #parts: WaysParts;
  /** By topic and node id. */
  readonly #resting = new Map<string, Rest>();
  /** By node id: the turns of requests that wait there. */
  readonly #turns = new Map<string, Slots>();
  #sweepAt = SWEPT_AT;
  /** How many pages were asked for; for tests and figures. */
  asked = 0;

  constructor(parts: WaysParts) {
    this.#parts = parts;
  }

  /** How many neighbours are recorded as resting, by topic. */
  get resting(): number {
    return this.#resting.size;
  }

  /** The nodes that publish a topic, nearest first. */
  originsOf(topic: string): readonly string[] {
    return [...new Set(this.#paths(topic).map(({ origin }) => origin))];
  }

  /** The neighbour on the best path to the topic, of any origin. */
  nearest(topic: string): PeerName | undefined {
    const [best] = this.#paths(topic);
    const name = best?.peer === undefined ? undefined : this.#parts.peers.neighbour(best.peer)?.name;
    return name === undefined || best?.peer === undefined ? undefined : { name, node: best.peer };
  }

  /** Whether a neighbour is still on a path to an origin. */
  leads(topic: string, origin: string, node: string): boolean {
    return this.#paths(topic).some((path) => path.peer === node && path.origin === origin);
  }

  /** The neighbour that a request with an empty path would ask first. */
  first(asking: Asking): string | undefined {
    return this.#next({ ...asking, via: [] }, NOBODY, [])?.[0].node;
  }

  /** A node's session began or ended: it is asked again at once. */
  forget(node: string): void {
    for (const key of this.#resting.keys()) if (key.endsWith(` ${node}`)) this.#resting.delete(key);
  }

  /**
   * A page from the first neighbour that answers one.
   * @param choosing called before each request with the neighbour, and with a function that ends the request when nobody waits for it any more
   * @throws FaultError about the cursor, if the origin itself says so; TOPIC_UNREACHABLE where nobody answered
   */
  async page(asking: Asking, choosing?: Choosing): Promise<Found> {
    const tried = new Set<string>();
    const whys: string[] = [];
    const doubts: { readonly peer: PeerName; readonly why: string; readonly cursor: FaultError }[] = [];
    for (;;) {
      const next = this.#next(asking, tried, whys);
      if (next === undefined) throw doubts[0]?.cursor ?? unreachable(asking, whys);
      const [peer, neighbour] = next;
      tried.add(peer.node);
      const outcome = await this.#inTurn(asking, peer, neighbour, choosing);
      if ("page" in outcome) {
        for (const { peer: other, why } of doubts)
          this.#failed(asking.topic, other, `it said ${why}, and ${peer.name} reads on from there`);
        return outcome;
      }
      const { why, cursor } = outcome;
      // Only the origin is believed about its log: a node on the way could block the topic for ever. Another neighbour may know better.
      if (cursor !== undefined && peer.node === asking.origin) throw cursor;
      if (cursor !== undefined) doubts.push({ peer, why, cursor });
      whys.push(`${peer.name}: ${why}`);
    }
  }

  async #inTurn(
    asking: Asking,
    peer: PeerName,
    neighbour: Neighbour,
    choosing: Choosing | undefined,
  ): Promise<Outcome> {
    if (asking.wait === 0) return this.#ask(asking, peer, neighbour, choosing);
    const { timers, now } = this.#parts.runtime;
    const turns = this.#turns.get(peer.node) ?? new Slots(timers, MOST_WAITS);
    this.#turns.set(peer.node, turns);
    const until = now() + asking.wait;
    const turn = turns.take();
    if (turn !== undefined) await turn;
    try {
      // Whoever asked for it waits no longer than it said.
      const wait = Math.max(0, Math.ceil(until - now()));
      return await this.#ask({ ...asking, wait }, peer, neighbour, choosing);
    } finally {
      turns.give();
    }
  }

  async #ask(
    { via, topic, origin, after, limit, wait }: Asking,
    peer: PeerName,
    neighbour: Neighbour,
    choosing: Choosing | undefined,
  ): Promise<Outcome> {
    const data = { topic, origin, limit, wait, ...(after === undefined ? {} : { after }) };
    const message: Message = { resource: "topic", action: "read", data };
    const { timers } = this.#parts.runtime;
    const given = Promise.withResolvers<never>();
    const late = `it did not answer within ${wait + this.#parts.patience} ms`;
    let why = late;
    const stopTimer = timers.after(wait + this.#parts.patience, () => given.reject(new Error(late)));
    choosing?.(peer, () => {
      why = "it leads there no more";
      given.reject(new Error(why));
    });
    this.asked++;
    let answered: Promise<unknown> | undefined;
    try {
      answered = neighbour.call(message, { via, hops: via.length + 1 });
      const answer = await Promise.race([answered, given.promise]);
      try {
        const page = readPage(answer, { topic, after, limit });
        if ("why" in page) return this.#failed(topic, peer, `what it answered ${page.why}`);
        this.#resting.delete(keyOf(topic, peer.node));
        return { page, by: peer };
      } finally {
        release(answer);
      }
    } catch (thrown) {
      // A later answer is ignored.
      answered?.catch(() => {});
      release(answered);
      if (why !== late) return { why };
      if (thrown instanceof Error && thrown.message === late) return this.#failed(topic, peer, late);
      if (neighbour.ended || !isFarFault(thrown)) return this.#rests(topic, peer, "the session with it ended", "lost");
      return this.#refused(topic, peer, farFault(thrown, peer));
    } finally {
      stopTimer();
    }
  }

  #refused(topic: string, peer: PeerName, far: FaultError) {
    const why = `${far.code} ${far.message}`;
    if (OF_THE_CURSOR.has(far.code)) return { why, cursor: far };
    if (NO_WAY.has(far.code)) return this.#rests(topic, peer, why, "lost");
    // Its limit of waits is reached; others make room (imported-topic.ts).
    return this.#failed(topic, peer, why, far.code === "TOPIC_READS_EXCEEDED" ? "full" : "failed");
  }

  /** The neighbour failed: it is left out for some time, and that is logged for the operator. */
  #failed(topic: string, peer: PeerName, why: string, kind: keyof typeof REST_MS = "failed") {
    this.#parts.lines.warn(
      `topic ${peer.node}`,
      { peer: peer.name, topic, why },
      "a topic could not be read by a peer",
    );
    return this.#rests(topic, peer, why, kind);
  }

  #rests(topic: string, { node }: PeerName, why: string, kind: keyof typeof REST_MS) {
    const key = keyOf(topic, node);
    const { first, most } = REST_MS[kind];
    const before = this.#resting.get(key)?.ms ?? first / 2;
    const ms = Math.min(Math.max(first, before * 2), most);
    const now = this.#parts.runtime.now();
    this.#resting.set(key, { until: now + ms, ms, why: printable(why, 300) });
    if (this.#resting.size >= this.#sweepAt) this.#sweep(now);
    return { why };
  }

  /** Removes records of topics that nobody reads any more: peers can announce any number of topics. */
  #sweep(now: number): void {
    for (const [key, { until, ms }] of this.#resting) if (until + ms < now) this.#resting.delete(key);
    this.#sweepAt = SWEPT_AT + 2 * this.#resting.size;
  }

  #next({ topic, origin, via }: Asking, tried: ReadonlySet<string>, whys: string[]) {
    const now = this.#parts.runtime.now();
    for (const { peer, origin: leadsTo } of this.#paths(topic)) {
      if (peer === undefined || leadsTo !== origin || via.includes(peer) || tried.has(peer)) continue;
      const neighbour = this.#parts.peers.neighbour(peer);
      if (neighbour === undefined || neighbour.ended) {
        whys.push(`no session with ${peer}`);
        continue;
      }
      const rest = this.#resting.get(keyOf(topic, peer));
      if (rest !== undefined && rest.until > now) {
        whys.push(`${neighbour.name} rests: ${rest.why}`);
        continue;
      }
      return [{ name: neighbour.name, node: peer }, neighbour] as const;
    }
    return undefined;
  }

  #paths(topic: string): readonly Path[] {
    return this.#parts.peers.pathsOf(routeOfTopic(topic)).filter(({ peer }) => peer !== undefined);
  }
}

function keyOf(topic: string, node: string): string {
  return `${topic} ${node}`;
}

function unreachable({ topic, origin }: Asking, whys: readonly string[]): FaultError {
  const why = whys.length === 0 ? "nobody leads there, or only whom it came from" : [...new Set(whys)].join("; ");
  return new FaultError(fault("TOPIC_UNREACHABLE", printable(`${topic} of ${origin}: ${why}`, 1000)));
}

/** Why a read failed, as one line of text. */
export function whyOf(thrown: unknown): string {
  return thrown instanceof FaultError ? `${thrown.code}: ${thrown.message}` : textOf(thrown);
}

export function isOfTheCursor(thrown: unknown): thrown is FaultError {
  return OF_THE_CURSOR.has((thrown as Partial<Fault> | undefined)?.code ?? "");
}
