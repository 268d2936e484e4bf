// The groups in a log's file: appended, read back only if their checksum fits, and rewritten where parts are erased. All writes
// run in the caller's transaction.

import { blobsOf, withoutParts } from "../entry-parts.ts";
import type { Erasure, NewEntry } from "../log.ts";
import type { MerkleTree } from "../tree/merkle-tree.ts";
import { damaged, groupSum, entries as named } from "./checksum.ts";
import { bornOf } from "./find-window.ts";
import { decodeGroup, eachLeaf, encodeGroup, positionOf } from "./group.ts";
import type { Statements, StoredGroup } from "./statements.ts";

export interface Group {
  readonly first: number;
  readonly texts: readonly string[];
}

const NO_GROUP: Group = { first: 0, texts: [] };

export class SqliteGroups {
  readonly #do: Statements;
  /** The group that was written or read last: tails and sequential reads ask for it again. */
  #latest = NO_GROUP;

  constructor(statements: Statements) {
    this.#do = statements;
  }

  /** Returns the group for `settle`, to be called once the transaction is durable. */
  append(first: number, entries: readonly NewEntry[], tree: MerkleTree): Group {
    const texts = entries.map((entry) => entry.text);
    const { at } = entries.at(-1) as NewEntry;
    const born = bornOf(entries, at);
    const body = encodeGroup(entries);
    this.#do.appendGroup.run(first, texts.length, at, born, body, groupSum(first, texts.length, at, born, body));
    const leaves = eachLeaf(body, (leaf) => tree.add(leaf));
    if (leaves !== texts.length)
      throw new Error(`one of ${named(first, texts.length)} contains U+0000, which separates entries`);
    return { first, texts };
  }

  settle(latest: Group): void {
    this.#latest = latest;
  }

  /** The group that holds the entry. @throws FaultError `LOG_DAMAGED` */
  of(seq: number): Group {
    const { first, texts } = this.#latest;
    if (seq >= first && seq < first + texts.length) return this.#latest;
    const stored = this.stored(seq);
    this.#latest = { first: stored.first, texts: decodeGroup(stored.first, stored.n, stored.body) };
    return this.#latest;
  }

  /** The number of the entry with this id in the group that begins at `first`. */
  find(id: string, first: number): number | undefined {
    const group = this.#do.groupAt.get(first);
    if (group === null) return undefined;
    const position = positionOf(id, checked(group).body);
    return position === undefined ? undefined : first + position;
  }

  /** Removes parts of an entry. Returns the blobs that they named. */
  erase({ seq, parts }: Erasure): readonly string[] {
    const group = this.stored(seq);
    const { first, n, at, born } = group;
    const texts = [...decodeGroup(first, n, group.body)];
    const erased = withoutParts(texts[seq - first] as string, parts);
    if (erased === undefined) return [];
    texts[seq - first] = erased.text;
    const body = encodeGroup(texts.map((text) => ({ text })));
    this.#do.rewriteGroup.run(body, groupSum(first, n, at, born, body), first);
    this.#latest = NO_GROUP;
    return erased.blobs;
  }

  /** Removes a group. Returns the blobs that its entries named. */
  remove({ first, n, body }: StoredGroup): readonly string[] {
    this.#do.removeGroup.run(first);
    this.#latest = NO_GROUP;
    return decodeGroup(first, n, body).flatMap(blobsOf);
  }

  /** The group that holds the entry, as it is stored. @throws FaultError `LOG_DAMAGED` */
  stored(seq: number): StoredGroup {
    const group = this.#do.groupOf.get(seq);
    if (group === null || seq >= group.first + group.n) throw damaged(`entry ${seq}`, "it is gone");
    return checked(group);
  }
}

function checked(group: StoredGroup): StoredGroup {
  const { first, n, at, born, body, sum } = group;
  if (groupSum(first, n, at, born, body) === sum) return group;
  throw damaged(named(first, n), "the checksum does not fit");
}
