// How fast topics of other nodes fill this node's log: so much a second of what one peer leads to. What is more waits where it was
// published: reading is asking, so that who is held up is not asked, and nothing is kept for it here.

import type { PluginRuntime } from "@capstan/orchestrator";
import type { PeerName } from "../forward/far-answer.ts";
import { textOf } from "../links/outbox.ts";

/** Publications a second, where a peer's limits do not say (docs/peers.md). */
const USUAL = 1_000;
/** After as long a quiet so much comes as fast as it can: who was away has something to catch up on. */
const BURST_MS = 10_000;
/** UTF-16 code units that count as a publication: a large one counts as many. */
const CHARACTERS = 4_096;
/** Of one peer there is one alert in this time. */
const ALERT_EVERY_MS = 60 * 60 * 1000;

export interface PaceParts {
  readonly runtime: Pick<PluginRuntime, "note" | "now" | "log">;
  /** Publications a second by a neighbour, as its limits say. */
  rateOf(node: string): number | undefined;
}

export class Pace {
  readonly #parts: PaceParts;
  /** By neighbour: until when what was taken in would have come at its rate, and when there was an alert. */
  readonly #until = new Map<string, number>();
  readonly #alerted = new Map<string, number>();

  constructor(parts: PaceParts) {
    this.#parts = parts;
  }

  /** So much was taken in, by a neighbour. @param characters UTF-16 code units */
  took({ node }: PeerName, publications: number, characters = 0): void {
    const { runtime } = this.#parts;
    const count = publications + Math.floor(characters / CHARACTERS);
    const before = Math.max(this.#until.get(node) ?? 0, runtime.now() - BURST_MS);
    this.#until.set(node, before + (count * 1000) / this.rateOf(node));
  }

  rateOf(node: string): number {
    return this.#parts.rateOf(node) ?? USUAL;
  }

  /** Milliseconds for which nothing more is taken in by a neighbour. */
  heldFor(peer: PeerName): number {
    const { runtime } = this.#parts;
    const ms = (this.#until.get(peer.node) ?? 0) - runtime.now();
    if (ms <= 0) return 0;
    if (runtime.now() - (this.#alerted.get(peer.node) ?? Number.NEGATIVE_INFINITY) >= ALERT_EVERY_MS) {
      this.#alerted.set(peer.node, runtime.now());
      this.#alert(peer);
    }
    return ms;
  }

  #alert({ name, node }: PeerName): void {
    const { runtime } = this.#parts;
    const text = `${name} leads to more than the ${this.rateOf(node)} publications a second that are taken in; the rest comes later, or is missed where it is compacted there by then: subscribe to less, or raise "publications" (peer configure ${name} --limits)`;
    const data = { kind: "topics-held", about: name, text };
    runtime
      .note({ resource: "alert", action: "raised", data })
      .catch((thrown: unknown) => runtime.log.warn({ peer: name, why: textOf(thrown) }, text));
  }
}
