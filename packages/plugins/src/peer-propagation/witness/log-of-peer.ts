// Asks a peer for proofs that its log only grew: bounded, and parsed by one schema. A missing or invalid answer proves nothing, and accuses
// nobody.

import type { Timers } from "@capstan/orchestrator";
import type { z } from "zod";
import { plainJson } from "../../registry/plain-json.ts";
import { inTime } from "../links/in-time.ts";
import type { Ask } from "../links/link.ts";
import { release } from "../links/outbox.ts";
import { textOf } from "../thrown.ts";
import { heldSchema, leavesSchema, provedSchema } from "./witness-messages.ts";

/** The peer gave no valid answer. */
export class Unanswered extends Error {}

export interface LogOfPeer {
  /** Proofs about the peer's log of `to` entries: consistency `from` a size, peaks of `base`, inclusion of `entry`. @throws Unanswered */
  prove(asked: { to: number; from?: number; base?: number; entry?: number }): Promise<Proved>;
  /** `count` leaves from an entry on, 32 bytes each; at most LEAVES_A_PAGE. @throws Unanswered */
  leaves(from: number, count: number): Promise<Uint8Array>;
}

export interface Proved {
  readonly proof: readonly Uint8Array[];
  readonly peaks: readonly Uint8Array[];
  readonly inclusion: readonly Uint8Array[];
}

export type HeldPage = z.output<typeof heldSchema>;

const HASH_BYTES = 32;
/** The bounds of an answer: a page of leaves in base64, a note, some hashes. */
const ANSWER = { depth: 4, bytes: 256 * 1024 };
const ANSWER_MS = 10_000;

export class AskedPeer implements LogOfPeer {
  readonly #ask: Ask;
  readonly #timers: Timers;

  constructor(ask: Ask, timers: Timers) {
    this.#ask = ask;
    this.#timers = timers;
  }

  async prove(asked: { to: number; from?: number; base?: number; entry?: number }): Promise<Proved> {
    const { proof = [], peaks = [], inclusion = [] } = await this.#asked("prove", asked, provedSchema);
    return { proof: proof.map(bytesOf), peaks: peaks.map(bytesOf), inclusion: inclusion.map(bytesOf) };
  }

  async leaves(from: number, count: number): Promise<Uint8Array> {
    const { leaves } = await this.#asked("leaves", { from, count }, leavesSchema);
    const page = bytesOf(leaves);
    if (page.length !== count * HASH_BYTES)
      throw new Unanswered(`it gave not the ${count} leaves from entry ${from} on`);
    return page;
  }

  held(asked: { log: string; from?: number; count?: number }): Promise<HeldPage> {
    return this.#asked("held", asked, heldSchema);
  }

  async #asked<Schema extends z.ZodType>(action: string, data: object, schema: Schema): Promise<z.output<Schema>> {
    let answer: unknown;
    try {
      answer = await inTime(this.#ask({ resource: "witness", action, data }), ANSWER_MS, this.#timers);
    } catch (thrown) {
      throw new Unanswered(`witness.${action}: ${textOf(thrown)}`);
    }
    try {
      const plain = plainJson(answer, ANSWER);
      const read = "why" in plain ? undefined : schema.safeParse(plain.json);
      if (read?.success !== true) throw new Unanswered(`what it answered witness.${action} is no answer to that`);
      return read.data;
    } finally {
      release(answer);
    }
  }
}

function bytesOf(base64: string): Uint8Array {
  return Buffer.from(base64, "base64");
}
