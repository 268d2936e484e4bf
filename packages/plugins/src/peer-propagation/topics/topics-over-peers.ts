// Topics between this node and its peers, in both directions. It is a companion of the sessions, so that readers that wait for a session that has ended
// ask the next peer at once.

import { type Envelope, FaultError, fault, type PluginRuntime, type Reader } from "@capstan/orchestrator";
import type { BestChange } from "@capstan/peer";
import { type TopicPage, type TopicRead, topics } from "../../publisher/elsewhere/topics.ts";
import type { Companion } from "../companion.ts";
import { FewLines } from "../few-lines.ts";
import type { PeerName } from "../names.ts";
import { exported } from "../routes/exported.ts";
import { routeOfTopic, topicOfRoute } from "../routes/topic-route.ts";
import { reachTable } from "../schema.ts";
import { fitting } from "./fitting.ts";
import { Pace } from "./pace.ts";
import { TopicImporter } from "./topic-importer.ts";
import { type PeerShare, TopicRelay } from "./topic-relay.ts";
import { type TopicPeers, Ways } from "./ways.ts";

/** How long a neighbour may take to answer beyond the wait, in milliseconds: a full page over a slow line. */
const PATIENCE_MS = 10_000;

export interface TopicsParts {
  readonly runtime: PluginRuntime;
  readonly peers: TopicPeers;
  /** The carrier's name under which ways are noted. */
  readonly by: string;
  readonly patience?: number | undefined;
}

type Asked = TopicRead & { readonly origin: string };

export class TopicsOverPeers implements Companion {
  readonly relay: TopicRelay;
  readonly ways: Ways;
  readonly #runtime: PluginRuntime;
  readonly #importer: TopicImporter;
  readonly #stopFollowing: () => void;

  constructor({ runtime, peers, by, patience = PATIENCE_MS }: TopicsParts) {
    this.#runtime = runtime;
    const given = runtime.given(topics);
    this.ways = new Ways({ peers, runtime, patience, lines: new FewLines(runtime) });
    this.relay = new TopicRelay({ ways: this.ways, runtime });
    const pace = new Pace({ runtime, rateOf: (node) => peers.rateOf(node) });
    this.#importer = new TopicImporter({ topics: given, runtime, relay: this.relay, ways: this.ways, pace });
    given.carriers.set(by, this.#importer);
    this.#stopFollowing = given.follow((wanted) => this.#importer.wants(wanted));
  }

  /** A peer reads a topic. @param peer the operator's name for it @param domain of this node */
  answer(peer: string, envelope: Envelope, reader: Reader, domain: string): Promise<TopicPage> {
    const asked = envelope.message.data as Asked;
    return this.relay.forPeer(peer, async (signal, share) => {
      const page = await this.#read(asked, envelope, reader, { signal, ...share });
      // Checked again, because some time has passed since it was decided.
      const still = exported(reader, envelope, routeOfTopic(asked.topic), domain);
      if (still?.fault !== undefined) throw new FaultError(still.fault);
      return fitting(page, this.relay.roomOf(peer));
    });
  }

  async #read(
    asked: Asked,
    { node, via }: Envelope,
    reader: Reader,
    { signal, queue, slots }: PeerShare & { readonly signal: AbortSignal },
  ): Promise<TopicPage> {
    const { topic, origin } = asked;
    const leadsTo = reader.get(reachTable, routeOfTopic(topic))?.way.origin ?? node;
    if (leadsTo !== origin)
      throw new FaultError(
        fault("TOPIC_UNREACHABLE", `${topic}: from here it leads to ${leadsTo}, and not to ${origin}`),
      );
    if (origin === node) return this.#runtime.given(topics).read(asked, signal, queue);
    const { items, next } = await this.relay.read({ ...asked, via }, signal, slots);
    return { items, next };
  }

  established({ node }: PeerName): void {
    this.ways.forget(node);
    this.#importer.look();
  }

  lost(peer: PeerName): void {
    this.ways.forget(peer.node);
    this.relay.lost(peer);
    this.#importer.look();
  }

  changed(changes: readonly BestChange[]): void {
    const topics = new Set<string>();
    for (const { name } of changes) {
      const topic = topicOfRoute(name);
      if (topic !== undefined) topics.add(topic);
    }
    if (topics.size === 0) return;
    this.relay.changed(topics);
    this.#importer.look(topics);
  }

  stop(): void {
    this.#stopFollowing();
    this.relay.stop();
    this.#importer.stop();
  }
}
