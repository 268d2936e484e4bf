// Cosignatures that peers give this node's checkpoints: verified against keys that are pinned and checkpoints that this node signed, kept
// for receipts (log.receipt), in a file that a start reads back.

import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Awaitable,
  type Cosignature,
  type CosignedCheckpoints,
  cosigned,
  keyName,
  openNote,
  ProofError,
  parseCheckpoint,
  replaceFile,
  signedBy,
  verifierOf,
  verifyCheckpoint,
  verifyCosignatures,
  witnessKeyOf,
} from "@capstan/orchestrator";
import { textOf } from "../links/outbox.ts";
import { type Identity, nodeOfKey, verifierKeys } from "./node-keys.ts";

export interface OwnParts {
  readonly directory: string | undefined;
  readonly identity: Identity;
  /** This log's id. */
  readonly log: string;
  readonly cosigned: CosignedCheckpoints;
  /** Of the tree of so many entries, as the log has them now. */
  root(size: number): Awaitable<Uint8Array> | undefined;
  pinned(node: string): readonly string[];
  damaged(file: string, why: string): void;
}

export interface OwnCosigned {
  readonly size: number;
  /** Seconds since the epoch. */
  readonly time: number;
}

const FILE = join("witness", "own.json");
/** Checkpoints that a peer was told lately: a cosignature does not say which it is of. */
const MOST_TOLD = 8;
const LONGEST_FILE = 4 * 1024 * 1024;

export class OwnCosignatures {
  readonly #parts: OwnParts;
  readonly #told = new Map<string, readonly string[]>();
  readonly #newest = new Map<string, OwnCosigned>();
  readonly #opened: Promise<void>;
  #writing: Promise<void> = Promise.resolve();

  constructor(parts: OwnParts) {
    this.#parts = parts;
    this.#opened = this.#open();
  }

  get opened(): Promise<void> {
    return this.#opened;
  }

  /** A peer is told a checkpoint of ours. */
  tell(node: string, note: string): void {
    const before = this.#told.get(node) ?? [];
    this.#told.set(node, [note, ...before.filter((one) => one !== note)].slice(0, MOST_TOLD));
  }

  /** The newest that a node has cosigned. */
  of(node: string): OwnCosigned | undefined {
    return this.#newest.get(node);
  }

  /** A line that a peer says is its cosignature. Answers whether it is one, of a checkpoint that it was told. */
  async heard(node: string, line: string): Promise<boolean> {
    for (const note of this.#told.get(node) ?? []) {
      const verified = await this.#verified(node, note, line);
      if (verified === undefined) continue;
      this.#take(node, note, verified);
      await this.#write();
      return true;
    }
    return false;
  }

  /** As it was verified: what a peer sent may have more in it than the one line, and would go into receipts. */
  async #verified(node: string, note: string, line: string): Promise<Cosignature | undefined> {
    const keys = verifierKeys(node, this.#parts.pinned(node)).map(witnessKeyOf);
    try {
      const [verified] = await verifyCosignatures(cosigned(note, [line]), keys);
      return verified;
    } catch (thrown) {
      if (thrown instanceof ProofError) return undefined;
      throw thrown;
    }
  }

  #take(node: string, note: string, { line, time }: Cosignature): void {
    const { size, root } = parseCheckpoint(openNote(note).text);
    this.#parts.cosigned.add({ size, root, note }, keyName(node), line);
    const before = this.#newest.get(node);
    if (before === undefined || before.time <= time) this.#newest.set(node, { size, time });
  }

  /** One after another: each writes what there is by then. */
  #write(): Promise<void> {
    const { directory } = this.#parts;
    if (directory === undefined) return Promise.resolve();
    const written = this.#writing.then(async () => {
      const notes = this.#parts.cosigned.kept.map(({ note, cosignatures }) => cosigned(note, cosignatures.values()));
      await mkdir(join(directory, "witness"), { recursive: true, mode: 0o700 });
      await replaceFile(join(directory, FILE), `${JSON.stringify(notes)}\n`);
    });
    this.#writing = written.catch(() => {});
    return written;
  }

  async #open(): Promise<void> {
    const { directory, damaged } = this.#parts;
    if (directory === undefined) return;
    try {
      const text = await readFile(join(directory, FILE), "utf8");
      const notes: unknown = text.length > LONGEST_FILE ? undefined : JSON.parse(text);
      if (!Array.isArray(notes) || !notes.every((one) => typeof one === "string"))
        throw new Error("it is no list of notes");
      // Oldest first, so that what is newest of each stays.
      for (const note of notes.toReversed()) await this.#read(note);
    } catch (thrown) {
      if ((thrown as { code?: string }).code !== "ENOENT") damaged(FILE, textOf(thrown));
    }
  }

  async #read(text: string): Promise<void> {
    const { identity, log } = this.#parts;
    try {
      const checkpoint = await verifyCheckpoint(text, [
        verifierOf({ name: identity.name, publicKey: identity.publicKey() }),
      ]);
      const root = await this.#parts.root(checkpoint.size);
      // What was cosigned before a restore may be of entries that are gone.
      if (checkpoint.log !== log || root === undefined || Buffer.compare(root, checkpoint.root) !== 0) return;
    } catch (thrown) {
      // Another key's by now, or damaged: it is of use to nobody, and there will be others.
      if (thrown instanceof ProofError) return;
      throw thrown;
    }
    const note = signedBy(text, [identity.name]);
    for (const line of text.slice(text.lastIndexOf("\n\n") + 2).split("\n")) {
      const node = nodeOfKey(line.split(" ")[1] ?? "");
      const verified = node === undefined ? undefined : await this.#verified(node, note, line);
      if (node !== undefined && verified !== undefined) this.#take(node, note, verified);
    }
  }
}
