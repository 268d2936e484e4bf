// RFC 4724 §4.1: a restarted speaker sends end-of-table only after its peers have sent theirs. Until then the peers keep its stale
// routes; afterwards they drop those that it has not announced again.
//
// Deviation (ADR 0032): peers that restart at the same time wait for each other. By the RFC neither would wait, and each would send
// end-of-table to its other peers before it knows the routes that only the restarting one has. Here a restarting peer is sent routes as
// they are learned (it holds none that could be lost), and end-of-table once every other peer was heard: what is still to come from that
// peer itself would not be sent back to it. In a line or tree of restarting nodes this ends by itself, beginning at the leaves; in a ring
// it ends when the time is over.

import type { KeptBack } from "../adj-rib-out/adj-rib-out.ts";
import type { NodeId } from "../wire/names.ts";

export class Deferral {
  readonly #until: number;
  readonly #heard = new Set<NodeId>();
  readonly #restarting = new Set<NodeId>();
  #over: boolean;

  constructor(restarting: boolean, until: number) {
    this.#until = until;
    this.#over = !restarting;
  }

  get on(): boolean {
    return !this.#over;
  }

  deadline(): number | undefined {
    return this.#over ? undefined : this.#until;
  }

  /** A session was established. A peer that agreed on no restart time sends no end-of-table, and so counts as heard. */
  met(node: NodeId, agreed: { readonly restarting: boolean; readonly restartTime: number | undefined }): void {
    if (agreed.restarting) this.#restarting.add(node);
    else this.#restarting.delete(node);
    if (agreed.restartTime === undefined) this.#heard.add(node);
  }

  /** That peer has sent end-of-table. */
  heard(node: NodeId): void {
    this.#heard.add(node);
  }

  /** Which of the running peers have not been heard. The deferral is over when there are none, or the time is; a node without peers waits, for some may be configured. */
  awaited(mayCome: readonly NodeId[], now: number): readonly NodeId[] {
    const awaited = now < this.#until ? mayCome.filter((node) => !this.#heard.has(node)) : [];
    if (awaited.length === 0 && (mayCome.length > 0 || now >= this.#until)) this.#over = true;
    return awaited;
  }

  keptFrom(node: NodeId, awaited: readonly NodeId[]): KeptBack {
    if (awaited.length === 0) return "nothing";
    if (!this.#restarting.has(node)) return "others";
    return awaited.every((other) => other === node) ? "nothing" : "end";
  }
}
