// RFC 4724 §4.1: a speaker that has started again does not say that its table is whole before its peers have told it theirs.
// Until then they keep what they had of it; afterwards they forget what it has not announced again.

import type { NodeId } from "../wire/names.ts";

export class Deferral {
  readonly #until: number;
  readonly #heard = new Set<NodeId>();
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

  /** That peer's table is here, or it has none to wait for: it has just started itself, or cannot mark its table's end. */
  heard(node: NodeId): void {
    if (this.on) this.#heard.add(node);
  }

  /** Whether it ends now: every peer that could be waited for was heard, or it took too long. A node without any may get some. */
  ends(peers: readonly NodeId[], now: number): boolean {
    if (this.#over) return false;
    const all = peers.length > 0 && peers.every((node) => this.#heard.has(node));
    if (!all && now < this.#until) return false;
    this.#over = true;
    this.#heard.clear();
    return true;
  }
}
