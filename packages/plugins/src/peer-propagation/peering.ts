// What of peering runs on a node: made with the plugin, begun with the first peer, ended with the node.

import type { FollowedRow, PluginRuntime } from "@capstan/orchestrator";
import type { Owner } from "@capstan/peer";
import type { SecretSources } from "../executor/secret-sources.ts";
import { elsewhere } from "../registry/elsewhere.ts";
import { ConfiguredPeers } from "./configured-peers.ts";
import { forwarder, type Neighbour, type Peers } from "./forward.ts";
import { type HostOptions, PeerHost } from "./peer-host.ts";
import { OWNERS, ownersTable, peerTable } from "./schema.ts";
import { PeerSecrets } from "./secrets.ts";

export interface PeeringOptions extends HostOptions {
  /** Where peers' secrets come from, besides `env:` and `file:`. */
  readonly secrets?: SecretSources | undefined;
}

export interface Running {
  readonly host: PeerHost;
  readonly peers: ConfiguredPeers;
}

/** As whom it notes ways to actions, and carries what is performed there. */
export const CARRIER = "peer-propagation";

export class Peering implements Peers {
  readonly secrets: PeerSecrets;
  readonly #options: PeeringOptions;
  #runtime: PluginRuntime | undefined;
  #running: Running | undefined;
  #owners: readonly Owner[] = [];
  #stopFollowing: (() => void) | undefined;
  #ending: Promise<void> | undefined;
  /** Another host was there before, in this process. */
  #begun = false;
  #stopped = false;

  constructor(options: PeeringOptions) {
    this.#options = options;
    this.secrets = new PeerSecrets(options.secrets);
  }

  run(runtime: PluginRuntime): void {
    this.#runtime = runtime;
    runtime.given(elsewhere).carriers.set(CARRIER, forwarder(this));
    this.#follow(runtime);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopFollowing?.();
    await Promise.all([this.#ending, this.#running?.host.stop()]);
    this.#running = undefined;
  }

  get runtime(): PluginRuntime | undefined {
    return this.#runtime;
  }

  /** A node without peers speaks to nobody: there is nothing to run. */
  running(): Running | undefined {
    return this.#running;
  }

  /** The ways to a route, best first, none that is filtered. */
  pathsOf(route: string): readonly { readonly peer: string | undefined }[] {
    const paths = this.#running?.host.speaker.rib.pathsOf(route) ?? [];
    return paths.filter(({ filtered }) => filtered === undefined).map(({ attributes: { peer } }) => ({ peer }));
  }

  neighbour(node: string): Neighbour | undefined {
    const running = this.#running;
    const link = running?.host.linkOf(node);
    const name = running?.peers.nameOf(node);
    if (link === undefined || name === undefined || link.ask === undefined) return undefined;
    const ask = link.ask;
    return {
      name,
      get ended() {
        return link.over || running?.host.linkOf(node) !== link;
      },
      call: (message, options) => ask(message, options),
    };
  }

  #follow(runtime: PluginRuntime): void {
    this.#stopFollowing = runtime.follow([ownersTable, peerTable], (rows) => this.#changed(rows));
  }

  /** The node has another key: whoever spoke by the one before takes leave, and peers hear of the other one. */
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
    if (peers.length === 0) return;
    this.#running ??= this.#begin(this.#runtime as PluginRuntime);
    this.#running.peers.changed(peers);
  }

  #begin(runtime: PluginRuntime): Running {
    const peers = new ConfiguredPeers(runtime, this.secrets, () => host);
    const host: PeerHost = new PeerHost(runtime, peers, this.#owners, {
      ...{ ...this.#options, by: CARRIER, rekeyed: () => this.#again(runtime) },
      ...(this.#begun ? { restarting: true } : {}),
    });
    return { host, peers };
  }
}
