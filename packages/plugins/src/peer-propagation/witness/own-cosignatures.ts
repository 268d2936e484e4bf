// Peers' cosignatures on this node's checkpoints: verified by the peers' pinned keys and against checkpoints that this node sent, and kept
// for receipts (log.receipt), in a file that the next start reads.

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
import { textOf } from "../thrown.ts";
import { type Identity, nodeOfKey, verifierKeys } from "./node-keys.ts";

export interface OwnParts {
  readonly directory: string | undefined;
  readonly identity: Identity;
  /** This log's id. */
  readonly log: string;
  readonly cosigned: CosignedCheckpoints;
  /** The root of this log's tree at a size; `undefined` where the log is smaller. */
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
/** How many sent checkpoints are remembered for each peer: a cosignature does not name its checkpoint. */
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

  /** A checkpoint is being sent to a peer. */
  tell(node: string, note: string): void {
    const before = this.#told.get(node) ?? [];
    this.#told.set(node, [note, ...before.filter((one) => one !== note)].slice(0, MOST_TOLD));
  }

  /** The newest checkpoint that a node has cosigned. */
  of(node: string): OwnCosigned | undefined {
    return this.#newest.get(node);
  }

  /** Takes a peer's cosignature line. Returns whether it is valid for a checkpoint that was sent to the peer. */
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

  /** Returns the verified cosignature, because the peer's text may contain more than the one line, which must not get into receipts. */
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

  /** Writes are queued: each writes the state at its time. */
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
      // Oldest first, so that each node's newest cosignature remains.
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
      // A checkpoint from before a restore may cover entries that are gone.
      if (checkpoint.log !== log || root === undefined || Buffer.compare(root, checkpoint.root) !== 0) return;
    } catch (thrown) {
      // Signed by a former key, or damaged: it is dropped, and later ones follow.
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
