// A script being played: nodes on a network on a virtual clock. Equal scripts do equal things; nothing is kept outside of one
// simulation, so that many run in one process, interleaved if need be.

import { verifySignature } from "../proof/identity.ts";
import type { SpeakerInput } from "../speaker/speaker-input.ts";
import type { Leaf } from "../wire/message.ts";
import { Administration } from "./administration.ts";
import { VirtualClock } from "./clock.ts";
import { Liar } from "./liar/liar.ts";
import { LieReader } from "./liar/lie-reader.ts";
import { Link } from "./link.ts";
import { Network } from "./network.ts";
import { NodeClock } from "./node-clock.ts";
import { Random } from "./random.ts";
import type { Script } from "./scenario/script.ts";
import { SimNode } from "./sim-node.ts";
import { Trace } from "./trace.ts";
import { Witnesses } from "./witnesses.ts";

/** One liar's connection to one node, in its direction. */
interface Wiretap {
  readonly from: string;
  readonly to: string;
  readonly reader: LieReader;
}

export class Simulation {
  readonly script: Script;
  readonly clock = new VirtualClock();
  readonly administration: Administration;
  readonly network: Network;
  readonly witnesses: Witnesses;
  readonly trace: Trace;
  readonly nodes = new Map<string, SimNode>();
  /** By `from to`, the newest connection last. */
  readonly wiretaps = new Map<string, Map<number, Wiretap>>();
  /** What each node offers, or would if it were up. */
  readonly offers = new Map<string, Map<string, Leaf>>();
  readonly epochs = new Map<string, number>();
  readonly #random: Random;
  readonly #verified = new Map<string, boolean>();

  constructor(script: Script, onLine: ((line: string) => void) | undefined) {
    this.script = script;
    this.administration = new Administration(script);
    this.trace = new Trace(onLine);
    this.#random = new Random(script.seed, "run");
    this.network = new Network(this.clock, (what) => this.#watch(what));
    const { clock, network, trace, administration } = this;
    this.witnesses = new Witnesses({ clock, network, trace, administration, owners: script.owners });
    for (const node of script.nodes) this.#addNode(node.id);
    for (const { a, b, delay, jitter } of script.links) {
      this.network.addLink(a, b, new Link(delay, jitter, this.#random.stream(`link ${a} ${b}`)));
    }
    for (const { id, startAt } of script.nodes) this.clock.plan(startAt, () => this.start(id));
  }

  /** A start, the first or another one: a new incarnation, which knows nothing but its configuration. */
  start(id: string): void {
    const node = this.nodes.get(id);
    const setup = this.administration.node(id);
    if (node === undefined || setup === undefined || node.up) return;
    const epoch = (this.epochs.get(id) ?? 0) + 1;
    this.epochs.set(id, epoch);
    this.trace.line(this.clock.now, id, "start", `epoch ${epoch}`);
    const random = this.#random.stream(`${id} ${epoch}`);
    const { publicKey: key, sign } = this.administration.identity(id);
    const config = {
      node: id,
      name: `node ${id}`,
      domain: setup.domain,
      key,
      sign,
      epoch,
      restarting: epoch > 1,
      owners: this.administration.owners(),
      timing: this.script.timing,
      chunkSize: setup.chunkSize,
      updateRoutes: setup.updateRoutes,
      random: random.float,
      nonce: () => Buffer.from(random.bytes(32)).toString("base64url"),
      verify: (publicKey: string, bytes: Uint8Array, signature: string) => this.#verify(publicKey, bytes, signature),
    };
    node.start(config, random.between(0, 1_000_000));
    for (const side of this.administration.sidesOf(id)) {
      if (!side.configured) continue;
      node.input({ type: "configure-peer", peer: this.administration.peerConfig(side) });
      if (side.stopped) node.input({ type: "stop-peer", node: side.peer });
    }
    const offers = [...(this.offers.get(id)?.values() ?? [])];
    if (offers.length > 0) node.input({ type: "originate", announce: offers, withdraw: [] });
  }

  tell(id: string, input: SpeakerInput): void {
    this.nodes.get(id)?.input(input);
  }

  /** Randomness of its own for whatever has a name of its own. */
  stream(label: string): Random {
    return this.#random.stream(label);
  }

  /** What `node` is to know of `peer` now. */
  configure(id: string, peer: string): void {
    const side = this.administration.side(id, peer);
    if (side?.configured) this.tell(id, { type: "configure-peer", peer: this.administration.peerConfig(side) });
  }

  #addNode(id: string): void {
    const { skew = 0, drift = 0, liar = false, routes = [] } = this.administration.node(id) ?? {};
    const lies = liar
      ? new Liar(this.#random.stream(`lies of ${id}`), (other) => this.administration.domainOf(other))
      : undefined;
    const around = { time: this.clock, network: this.network, witness: this.witnesses };
    const node = new SimNode(id, new NodeClock(skew, drift), lies, around);
    this.nodes.set(id, node);
    this.network.addHost(node);
    this.offers.set(id, new Map(routes.map((leaf) => [leaf[0], leaf])));
  }

  /**
   * A hundred nodes verify the same signatures. Whether a key signed bytes depends on nothing else, so one answer is as good
   * as a hundred, and no node learns anything of another by it.
   */
  #verify(publicKey: string, bytes: Uint8Array, signature: string): boolean {
    const asked = `${publicKey} ${signature} ${Buffer.from(bytes).toString("latin1")}`;
    const known = this.#verified.get(asked);
    if (known !== undefined) return known;
    const answer = verifySignature(publicKey, bytes, signature);
    this.#verified.set(asked, answer);
    return answer;
  }

  /** Whatever a liar's peers hear, an independent reader hears too. */
  #watch({ kind, connection, from, to, text }: Parameters<ConstructorParameters<typeof Network>[1]>[0]): void {
    if (kind === "frame") {
      this.witnesses.frame({ connection, from, to, text });
      if (this.nodes.get(from)?.liar === undefined) return;
      const key = `${from} ${to}`;
      const taps = this.wiretaps.get(key) ?? new Map<number, Wiretap>();
      this.wiretaps.set(key, taps);
      const tap = taps.get(connection) ?? { from, to, reader: new LieReader() };
      taps.set(connection, tap);
      tap.reader.frame(text);
    } else if (kind === "closed") {
      this.wiretaps.get(`${from} ${to}`)?.delete(connection);
      this.wiretaps.get(`${to} ${from}`)?.delete(connection);
    }
  }

  /** Whether that is a key of the node's, as all operators know it. */
  isKeyOf(node: string, publicKey: string): boolean {
    return this.administration.node(node) !== undefined && this.administration.publicKeys(node).includes(publicKey);
  }
}
