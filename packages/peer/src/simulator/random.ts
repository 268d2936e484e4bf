// The simulator's only randomness: xoshiro128** (Blackman and Vigna, 2018), its state filled by splitmix32 from a seed and a
// label. Streams of different labels are independent, so that one more draw somewhere changes nothing elsewhere.

export class Random {
  readonly #seed: string;
  readonly #state: Uint32Array = new Uint32Array(4);

  constructor(seed: number | string, label = "") {
    this.#seed = `${seed}/${label}`;
    let mixed = fnv1a(this.#seed);
    for (let word = 0; word < 4; word++) {
      mixed = (mixed + 0x9e3779b9) | 0;
      let z = mixed;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      this.#state[word] = z ^ (z >>> 15);
    }
  }

  /** Another stream, which depends on this one's seed and the label alone. */
  stream(label: string): Random {
    return new Random(this.#seed, label);
  }

  /** 32 bits. */
  next(): number {
    const s = this.#state as unknown as [number, number, number, number];
    const result = Math.imul(rotate(Math.imul(s[1], 5), 7), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 11);
    return result;
  }

  /** In [0, 1). */
  readonly float = (): number => this.next() / 0x1_0000_0000;

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.float() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.float() < probability;
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.float() * list.length)] as T;
  }

  /** So many different ones, or all where there are fewer. */
  sample<T>(list: readonly T[], count: number): T[] {
    const rest = [...list];
    const most = Math.min(count, rest.length);
    for (let at = 0; at < most; at++) {
      const other = this.between(at, rest.length - 1);
      [rest[at], rest[other]] = [rest[other] as T, rest[at] as T];
    }
    return rest.slice(0, most);
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.next() >>> 24);
  }
}

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}
