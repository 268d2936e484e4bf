// Limits how fast topics of other nodes fill this node's log: a rate for each peer. What exceeds it waits at its origin: this node reads by asking, and
// so just asks later.

import type { PluginRuntime } from "@capstan/orchestrator";
import type { PeerName } from "../names.ts";
import { textOf } from "../thrown.ts";

/** Publications a second, where a peer's limits name no rate (docs/peers.md). */
const USUAL = 1_000;
/** After a quiet time of this length, so much may come at full speed, to catch up. */
const BURST_MS = 10_000;
/** So many UTF-16 code units count as one publication: a large one counts as several. */
const CHARACTERS = 4_096;
/** At most one alert about a peer within this time. */
const ALERT_EVERY_MS = 60 * 60 * 1000;

export interface PaceParts {
  readonly runtime: Pick<PluginRuntime, "note" | "now" | "log">;
  /** A neighbour's rate by its limits, in publications a second. */
  rateOf(node: string): number | undefined;
}

export class Pace {
  readonly #parts: PaceParts;
  /** By neighbour: until when its imported publications would have taken at its rate; and when the last alert was. */
  readonly #until = new Map<string, number>();
  readonly #alerted = new Map<string, number>();

  constructor(parts: PaceParts) {
    this.#parts = parts;
  }

  /** Counts publications that were imported through a neighbour. @param characters in UTF-16 code units */
  took({ node }: PeerName, publications: number, characters = 0): void {
    const { runtime } = this.#parts;
    const count = publications + Math.floor(characters / CHARACTERS);
    const before = Math.max(this.#until.get(node) ?? 0, runtime.now() - BURST_MS);
    this.#until.set(node, before + (count * 1000) / this.rateOf(node));
  }

  rateOf(node: string): number {
    return this.#parts.rateOf(node) ?? USUAL;
  }

  /** For how many milliseconds nothing more is imported through a neighbour. */
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
