// The keys that a log names as its nodes': which entry admitted each, which retired it, and their order. Keys taken from the log itself only show that
// it is consistent; a key that the caller brings makes it a proof.

import { verifyRotation } from "../notary/rotation-statement.ts";
import { keyName } from "../notary/signer.ts";
import type { NodeKeyRow } from "../pipeline/kernel-tables.ts";
import type { CheckpointKey } from "../proof/checkpoint.ts";
import { parseVerifierKey, type VerifierKey, verifierOf } from "../proof/note.ts";
import { ProofError } from "../proof/proof-error.ts";
import type { Problems } from "./problems.ts";

interface Rotation {
  readonly entry: number;
  readonly statement: string;
}

export class KeyHistory {
  /** By public key in base64url. */
  readonly #keys = new Map<string, NodeKeyRow>();
  readonly #rotations: Rotation[] = [];

  /** An entry wrote a row of the table of nodes' keys. */
  wrote(key: string, row: NodeKeyRow): void {
    this.#keys.set(key, row);
  }

  rotated(entry: number, statement: string): void {
    this.#rotations.push({ entry, statement });
  }

  /** All keys that the log names. */
  admitted(): readonly CheckpointKey[] {
    return [...this.#keys].flatMap(([key, { node, until }]) => {
      const publicKey = Buffer.from(key, "base64url");
      return publicKey.length === 32 ? [{ ...verifierOf({ name: keyName(node), publicKey }), until }] : [];
    });
  }

  /**
   * The keys that are trusted where these are, as verifier keys' texts: those, and each that one of them handed over to.
   * Each counts up to the entry that retired it.
   */
  async trusted(given: readonly string[], log: string, problems: Problems): Promise<readonly CheckpointKey[]> {
    const trusted = new Map<string, VerifierKey>(given.map((text) => [text, parseVerifierKey(text)]));
    for (const { entry, statement } of this.#rotations) {
      const where = `entry ${entry}`;
      try {
        const { log: of, old, next } = await verifyRotation(statement);
        if (of !== log) problems.add(where, `the rotation of a key is of another log, ${of}`);
        else if ([...trusted.values()].some((key) => same(key, old))) trusted.set(`${entry}`, next);
      } catch (thrown) {
        if (!(thrown instanceof ProofError)) throw thrown;
        problems.add(where, `the rotation of a key does not verify: ${thrown.message}`);
      }
    }
    return [...trusted.values()].map((key) => ({ ...key, until: this.#keys.get(rowKeyOf(key))?.until }));
  }
}

function rowKeyOf({ publicKey }: VerifierKey): string {
  return Buffer.from(publicKey).toString("base64url");
}

function same(a: VerifierKey, b: VerifierKey): boolean {
  return a.name === b.name && rowKeyOf(a) === rowKeyOf(b);
}
