// What lies between two nodes. A link loses, doubles and reorders single frames while there is noise, and is cut for as long
// as anybody has a reason to: silently, so that only a hold timer tells, or with a reset that both ends hear of.

import type { Random } from "./random.ts";

/** `drop`: what is sent is gone, and nobody is told. `reset`: both ends are. */
export type CutKind = "drop" | "reset";

export interface Noise {
  /** Probabilities, for each frame. */
  readonly loss: number;
  readonly reorder: number;
  readonly duplicate: number;
}

export const QUIET: Noise = { loss: 0, reorder: 0, duplicate: 0 };

export class Link {
  noise: Noise = QUIET;
  readonly #delay: number;
  readonly #jitter: number;
  readonly #random: Random;
  readonly #cuts = new Map<string, CutKind>();

  constructor(delay: number, jitter: number, random: Random) {
    this.#delay = delay;
    this.#jitter = jitter;
    this.#random = random;
  }

  /** `reason` tells cuts apart that overlap. */
  cut(reason: string, kind: CutKind): void {
    this.#cuts.set(reason, kind);
  }

  heal(reason: string): void {
    this.#cuts.delete(reason);
  }

  /** `undefined`: whole. A silent cut hides the other kind. */
  get state(): CutKind | undefined {
    if (this.#cuts.size === 0) return undefined;
    return [...this.#cuts.values()].includes("drop") ? "drop" : "reset";
  }

  /** How long what is sent now takes, in milliseconds. */
  delay(): number {
    return this.#delay + (this.#jitter === 0 ? 0 : this.#random.between(0, this.#jitter));
  }

  /** What becomes of one frame: when its copies arrive, and whether they may overtake. */
  fate(): { readonly delays: readonly number[]; readonly overtakes: boolean } {
    const { loss, reorder, duplicate } = this.noise;
    if (this.noise === QUIET) return { delays: [this.delay()], overtakes: false };
    if (this.#random.chance(loss)) return { delays: [], overtakes: false };
    const overtakes = this.#random.chance(reorder);
    // What is reordered comes late, so that what follows overtakes it.
    const delay = this.delay() + (overtakes ? this.#random.between(1, 4 * (this.#delay + this.#jitter)) : 0);
    return { delays: this.#random.chance(duplicate) ? [delay, delay + this.delay()] : [delay], overtakes };
  }
}
