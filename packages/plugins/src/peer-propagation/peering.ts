// The running part of peering: made with the plugin, started with the first peer, stopped with the node.

import type { FollowedRow, PluginRuntime } from "@capstan/orchestrator";
import { defaultTiming, type Owner } from "@capstan/peer";
import { recallTable } from "../executor/schema.ts";
import type { SecretSources } from "../executor/secret/secret-sources.ts";
import { elsewhere } from "../registry/elsewhere.ts";
import { Acceptance } from "./acceptance/acceptance.ts";
import { ConfiguredPeers } from "./configuration/configured-peers.ts";
import { Drains } from "./configuration/drains.ts";
import { lacking } from "./configuration/rights.ts";
import { PeerSecrets } from "./configuration/secrets.ts";
import { AskAgain } from "./forward/ask-again.ts";
import { forwarder } from "./forward/forward.ts";
import type { Neighbour, PathTo, Peers } from "./forward/neighbour.ts";
import { TakeBack } from "./forward/take-back.ts";
import { Unresolved } from "./forward/unresolved.ts";
import type { Link } from "./links/link.ts";
import { Room } from "./links/room.ts";
import { type HostOptions, PeerHost } from "./peer-host.ts";
import { OWNERS, ownersTable, type PeerRow, peerTable } from "./schema.ts";
import { TopicsOverPeers } from "./topics/topics-over-peers.ts";
import { Witness, type WitnessOptions } from "./witness/witness.ts";

export interface PeeringOptions extends HostOptions {
  /** Where peers' secrets come from, besides `env:` and `file:`. */
  readonly secrets?: SecretSources | undefined;
  /** How long until a peer is asked again that did not know an execution's outcome, in milliseconds; doubled each time. */
  readonly askAgainAfter?: number | undefined;
  /** How long calls in flight may go on when their peer is stopped or removed, in milliseconds. */
  readonly drain?: number | undefined;
  /** How many calls of all peers together may be open. */
  readonly calls?: number | undefined;
  /** How often peers are sent checkpoints of this log, and how soon theirs are checked. */
  readonly witness?: WitnessOptions | undefined;
}

const ASK_AGAIN_MS = 1000;

export interface Running {
  readonly host: PeerHost;
  readonly peers: ConfiguredPeers;
}

/** The carrier's name under which it notes ways to actions and topics, makes calls and reads publications. */
export const CARRIER = "peer-propagation";

export class Peering implements Peers {
  readonly secrets: PeerSecrets;
  readonly #options: PeeringOptions;
  #runtime: PluginRuntime | undefined;
  #running: Running | undefined;
  /** Set from the first peer on. */
  #topics: TopicsOverPeers | undefined;
  #witness: Witness | undefined;
  #acceptance: Acceptance | undefined;
  #askAgain: AskAgain | undefined;
  #takeBack: TakeBack | undefined;
  #unresolved: Unresolved | undefined;
  #drains: Drains | undefined;
  /** Of performings that are asked over a link. */
  readonly #rooms = new WeakMap<Link, Room>();
  #owners: readonly Owner[] = [];
  #stopFollowing: (() => void) | undefined;
  #ending: Promise<void> | undefined;
  /** Whether this process has had a host before. */
  #begun = false;
  #stopped = false;
  /** Whether peers that were configured before this start were checked for missing rights. */
  #warned = false;

  constructor(options: PeeringOptions) {
    this.#options = options;
    this.secrets = new PeerSecrets(options.secrets);
  }

  run(runtime: PluginRuntime): void {
    this.#runtime = runtime;
    runtime.given(elsewhere).carriers.set(CARRIER, forwarder(this));
    // Also without peers: what is owed to a removed peer is dropped after some time.
    this.#takeBack = new TakeBack({
      ...{ runtime, by: CARRIER, again: this.#options.askAgainAfter ?? ASK_AGAIN_MS },
      neighbour: (node) => this.neighbour(node),
    });
    this.#unresolved = new Unresolved({
      ...{ runtime, by: CARRIER },
      nameOf: (node) => this.#running?.peers.nameOf(node),
      session: (node) => this.neighbour(node) !== undefined,
    });
    this.#follow(runtime);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopFollowing?.();
    this.#topics?.stop();
    this.#askAgain?.stop();
    this.#takeBack?.stop();
    this.#unresolved?.stop();
    this.#drains?.stop();
    this.#topics = undefined;
    await Promise.all([this.#ending, this.#running?.host.stop()]);
    await Promise.all([this.#witness?.stop(), this.#acceptance?.stop()]);
    this.#running = undefined;
  }

  get runtime(): PluginRuntime | undefined {
    return this.#runtime;
  }

  /** The running parts; `undefined` on a node without peers. */
  running(): Running | undefined {
    return this.#running;
  }

  get topics(): TopicsOverPeers | undefined {
    return this.#topics;
  }

  /** Digests of the updates in a peer's session, in both directions. */
  saidIn(name: string): ReturnType<Acceptance["of"]> {
    return this.#acceptance?.of(name) ?? {};
  }

  get witness(): Witness | undefined {
    return this.#witness;
  }

  /** The ways to a route, best first, none that is filtered. */
  pathsOf(route: string): readonly PathTo[] {
    const paths = this.#running?.host.speaker.rib.pathsOf(route) ?? [];
    return paths
      .filter(({ filtered }) => filtered === undefined)
      .map(({ digest, repeatable, attributes: { peer, chunk } }) => {
        const { node: origin, domain } = chunk.claim;
        return { peer, origin, domain, digest, repeatable };
      });
  }

  rateOf(node: string): number | undefined {
    const name = this.#running?.peers.nameOf(node);
    return name === undefined ? undefined : this.#runtime?.reader.get(peerTable, name)?.limits.publications;
  }

  now(): number {
    return this.#runtime?.now() ?? 0;
  }

  unknown(node: string): void {
    this.#askAgain?.unknown(node);
  }

  neighbour(node: string): Neighbour | undefined {
    const running = this.#running;
    const link = running?.host.linkOf(node);
    const name = running?.peers.nameOf(node);
    if (link === undefined || name === undefined || link.ask === undefined) return undefined;
    const ask = link.ask;
    const runtime = this.#runtime;
    return {
      name,
      room: this.#roomOf(link),
      get leaving() {
        return runtime?.reader.get(peerTable, name)?.draining !== undefined;
      },
      get ended() {
        return link.over || running?.host.linkOf(node) !== link;
      },
      call: (message, options, owed = false) => {
        const send = () => ask(message, options);
        return owed && runtime !== undefined ? runtime.sendUnheld(send) : send();
      },
    };
  }

  #roomOf(link: Link): Room {
    let room = this.#rooms.get(link);
    if (room === undefined) {
      room = new Room();
      this.#rooms.set(link, room);
      void link.ended.then(() => this.#rooms.get(link)?.end());
    }
    return room;
  }

  #follow(runtime: PluginRuntime): void {
    this.#stopFollowing = runtime.follow([ownersTable, peerTable, recallTable], (rows) => this.#changed(rows));
  }

  /** The node's key was rotated: the former host says goodbye, and one with the new key begins. */
  #again(runtime: PluginRuntime): void {
    const host = this.#running?.host;
    if (host === undefined) return;
    this.#stopFollowing?.();
    this.#running = undefined;
    this.#begun = true;
    this.#ending = host
      .stop()
      .then(() => host.forgetRoutes())
      .catch((thrown: unknown) =>
        runtime.log.error({ error: String(thrown) }, "peers were not left as they should be"),
      );
    void this.#ending.then(() => {
      if (!this.#stopped) this.#follow(runtime);
    });
  }

  #changed(rows: readonly FollowedRow[]): void {
    const owners = rows.find(({ table, key }) => table === ownersTable && key === OWNERS);
    if (owners !== undefined) {
      this.#owners = (owners.row ?? []) as readonly Owner[];
      this.#running?.host.tell({ type: "set-owners", owners: this.#owners });
    }
    const peers = rows.filter(({ table }) => table === peerTable);
    if (peers.length > 0) {
      this.#running ??= this.#begin(this.#runtime as PluginRuntime);
      this.#running.peers.changed(peers);
      this.#drains?.changed(peers);
    }
    this.#takeBack?.followed(rows);
    if (this.#warned) return;
    this.#warned = true;
    for (const { row } of peers) this.#warnOf(row as PeerRow | undefined);
  }

  /** Warns where this version would give a peer more rights than its grant has. */
  #warnOf(row: PeerRow | undefined): void {
    const { log, node } = this.#runtime as PluginRuntime;
    const lacks = row === undefined ? [] : lacking(row, this.#options.domain ?? node.id);
    if (lacks.length === 0) return;
    const peer = row?.name;
    log.warn({ peer, lacks }, `a peer's grant is of an earlier version; capstan peer configure ${peer} gives it anew`);
  }

  #begin(runtime: PluginRuntime): Running {
    const { patience } = this.#options;
    this.#topics ??= new TopicsOverPeers({ runtime, peers: this, by: CARRIER, patience });
    this.#witness ??= this.#witnessOf(runtime);
    this.#acceptance ??= new Acceptance(runtime);
    this.#drains ??= new Drains({
      runtime,
      leadsNowhere: (node) => this.#running?.host.leadsNowhere(node) ?? true,
    });
    this.#askAgain ??= new AskAgain({
      ...{ runtime, by: CARRIER, first: this.#options.askAgainAfter ?? ASK_AGAIN_MS },
      session: (node) => this.neighbour(node) !== undefined,
    });
    const peers = new ConfiguredPeers(runtime, this.secrets, () => host);
    const host: PeerHost = new PeerHost(runtime, peers, this.#owners, {
      ...{
        ...this.#options,
        by: CARRIER,
        rekeyed: () => this.#again(runtime),
        companions: [this.#topics, this.#witness, this.#acceptance, this.#askAgain, this.#takeBack as TakeBack],
      },
      ...(this.#begun ? { restarting: true } : {}),
    });
    return { host, peers };
  }

  #witnessOf(runtime: PluginRuntime): Witness {
    const { timing, witness } = this.#options;
    const holdTime = timing?.holdTime ?? defaultTiming.holdTime;
    return new Witness({
      ...{ runtime, every: witness?.every ?? Math.floor(holdTime / 3), rest: witness?.rest ?? 1000 },
      ask: (node) => this.#running?.host.linkOf(node)?.ask,
      keepAlive: (node) => this.#running?.host.tell({ type: "keep-alive", node }),
      forgetEpoch: (node) => this.#running?.host.tell({ type: "forget-epoch", node }),
    });
  }
}
