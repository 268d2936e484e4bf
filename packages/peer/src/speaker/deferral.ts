// RFC 4724 §4.1: a speaker that has started again does not say that its table is whole before its peers have told it theirs.
// Until then they keep what they had of it; afterwards they forget what it has not announced again.
//
// Peers that start at once wait for each other. The RFC would have neither wait, and so each would tell its other peers that
// all is said before it has heard what the other alone knows. Here each tells the other what it learns while it learns it
// (there is nothing that the other could lose), and that it is all as soon as everybody else was heard: what it is still to
// hear of the other is nothing that it would tell back. A line or tree of nodes that start at once ends so by itself, from
// its leaves; a circle of them ends when it took too long.

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

  /** A session with it is there. Without a restart time it cannot mark its table's end. */
  met(node: NodeId, agreed: { readonly restarting: boolean; readonly restartTime: number | undefined }): void {
    if (agreed.restarting) this.#restarting.add(node);
    else this.#restarting.delete(node);
    if (agreed.restartTime === undefined) this.#heard.add(node);
  }

  /** That peer's table is here. */
  heard(node: NodeId): void {
    this.#heard.add(node);
  }

  /** Who of the peers that may come was not heard. It is over when nobody is left, or it took too long; a node without any may get some. */
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
