// What a command's decision read besides its message and logged rows: session rows, and the nonce drawn for it. Both are recorded with the
// message, so that rehearsal can decide it again.

import { NONCE } from "../message/definition.ts";
import type { Envelope } from "../message/message.ts";
import type { Table } from "../state/table.ts";

export class DecisionReads {
  readonly #session: (readonly [table: string, key: string, row: unknown])[] = [];
  readonly #drawNonce: () => string;
  #nonce: string | undefined;

  constructor(drawNonce: () => string) {
    this.#drawNonce = drawNonce;
  }

  readonly read = (table: Table, key: string, row: unknown): void => {
    this.#session.push([table.name, key, row ?? null]);
  };

  readonly draw = (): string => {
    this.#nonce ??= this.#drawNonce();
    return this.#nonce;
  };

  /** The envelope as it is recorded: itself, where nothing was read or drawn. */
  recordedIn(envelope: Envelope): Envelope {
    if (this.#session.length === 0 && this.#nonce === undefined) return envelope;
    const read = this.#session.length === 0 ? undefined : { $session: this.#session };
    const drawn = this.#nonce === undefined ? undefined : { [NONCE]: this.#nonce };
    return { ...envelope, facts: { ...envelope.facts, ...read, ...drawn } };
  }
}
