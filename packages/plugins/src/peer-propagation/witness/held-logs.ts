// What this node holds of the peers' logs that it witnesses, in files of its data directory: `witness/<node>.checkpoint` is the note that it cosigned last,
// with the cosignature; `witness/<node>.leaves` has the hashes of the newest leaves. A cosignature leaves the node only once both are on disk. Files
// that are read back count only where their signatures and hashes are valid. Files are by node, not by log: a node claims its log's id itself, and
// such a claim must not affect what is held of another node.

import { mkdir, open, readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  type Checkpoint,
  keyName,
  LeafWindow,
  openNote,
  ProofError,
  parseCheckpoint,
  replaceFile,
  type VerifierKey,
  verifyCheckpoint,
  verifyCosignatures,
  witnessKeyOf,
} from "@capstan/orchestrator";
import { NAME } from "../names.ts";
import { textOf } from "../thrown.ts";
import { type Identity, verifierKeys } from "./node-keys.ts";

export interface Held {
  readonly node: string;
  readonly checkpoint: Checkpoint;
  /** The note as the log signed it, and our cosignature's line. */
  readonly note: string;
  readonly line: string;
  /** When it was cosigned, in seconds since the epoch. */
  readonly time: number;
  /** The leaves of `checkpoint.size` entries; `undefined` where they were lost. */
  readonly leaves: LeafWindow | undefined;
}

export interface HeldParts {
  /** The node's data directory; `undefined` where nothing is kept. */
  readonly directory: string | undefined;
  readonly identity: Identity;
  /** Public keys that are pinned of a node, in base64url. */
  pinned(node: string): readonly string[];
  /** Called for a damaged file. */
  damaged(file: string, why: string): void;
}

const CHECKPOINT = ".checkpoint";
const LEAVES = ".leaves";
const LONGEST_FILE = 64 * 1024;
const MODE = 0o644;

export class HeldLogs {
  readonly #parts: HeldParts;
  readonly #directory: string | undefined;
  readonly #held = new Map<string, Held>();
  /** By node: why its file cannot be read, so that it is not known what was cosigned. */
  readonly #unreadable = new Map<string, string>();
  /** By node: the leaves that this process has written. */
  readonly #written = new Map<string, LeafWindow>();
  /** Why the directory could not be listed, if it could not. */
  #blind: string | undefined;
  readonly #opened: Promise<void>;

  constructor(parts: HeldParts) {
    this.#parts = parts;
    this.#directory = parts.directory === undefined ? undefined : join(parts.directory, "witness");
    this.#opened = this.#open();
  }

  /** Resolves once the files were read. */
  get opened(): Promise<void> {
    return this.#opened;
  }

  of(node: string): Held | undefined {
    return this.#held.get(node);
  }

  /** What is held of a log id: more than one only where a node lies about its log's id. */
  byLog(log: string): readonly Held[] {
    return [...this.#held.values()].filter(({ checkpoint }) => checkpoint.log === log);
  }

  /** Why it is not known what was cosigned of a node's log; `undefined` where it is known. */
  unreadable(node: string): string | undefined {
    return this.#unreadable.get(node) ?? this.#blind;
  }

  /** Replaces what is held of a node's log; durable once it resolves. @throws whatever the file system throws; then the former state is held */
  async keep(held: Held): Promise<void> {
    const { node } = held;
    if (this.#directory !== undefined) {
      await made(this.#directory);
      await this.#writeLeaves(join(this.#directory, node + LEAVES), held);
      await replaceFile(join(this.#directory, node + CHECKPOINT), `${held.note}${held.line}\n`);
    }
    this.#held.set(node, held);
    this.#unreadable.delete(node);
  }

  /** Appends only new leaves. The file may reach further than the checkpoint: then it is read only up to that. */
  async #writeLeaves(path: string, { node, leaves }: Held): Promise<void> {
    const before = this.#written.get(node);
    this.#written.delete(node);
    if (leaves === undefined) return rm(path, { force: true });
    const { head, hashes } = leaves;
    if (before === undefined || !continues(leaves, before)) {
      await replaceFile(path, Buffer.concat([Buffer.from(head, "latin1"), hashes]));
    } else if (before.hashes.length < hashes.length) {
      const added = hashes.subarray(before.hashes.length);
      const file = await open(path, "r+", MODE);
      try {
        await file.write(added, 0, added.length, head.length + before.hashes.length);
        await file.sync();
      } finally {
        await file.close();
      }
    }
    this.#written.set(node, leaves);
  }

  async #open(): Promise<void> {
    if (this.#directory === undefined) return;
    let names: readonly string[] = [];
    try {
      names = await listed(this.#directory);
    } catch (thrown) {
      this.#blind = textOf(thrown);
      this.#parts.damaged("witness", this.#blind);
    }
    for (const name of names) {
      const node = name.slice(0, -CHECKPOINT.length);
      if (!name.endsWith(CHECKPOINT) || !NAME.test(node)) continue;
      try {
        this.#held.set(node, await this.#read(this.#directory, node));
      } catch (thrown) {
        const why = thrown instanceof ProofError ? thrown.message : textOf(thrown);
        this.#unreadable.set(node, why);
        this.#parts.damaged(join("witness", name), why);
      }
    }
  }

  async #read(directory: string, node: string): Promise<Held> {
    const { identity } = this.#parts;
    const bytes = await readFile(join(directory, node + CHECKPOINT));
    if (bytes.length > LONGEST_FILE) throw new ProofError("CHECKPOINT_INVALID", "it is too long");
    const text = bytes.toString("utf8");
    const { text: signed, signatures } = openNote(text);
    const checkpoint = parseCheckpoint(signed);
    if (signatures[0]?.name !== keyName(node)) throw new ProofError("SIGNATURE_INVALID", `${node} has not signed it`);
    const { note, line, time } = await readCosigned(text, verifierKeys(node, this.#parts.pinned(node)), identity);
    return { node, checkpoint, note, line, time, leaves: await this.#readLeaves(directory, node, checkpoint) };
  }

  async #readLeaves(directory: string, node: string, { size, root }: Checkpoint): Promise<LeafWindow | undefined> {
    try {
      const window = LeafWindow.read(await readFile(join(directory, node + LEAVES)));
      const leaves = window?.cut(size);
      if (leaves !== undefined && Buffer.compare(leaves.root(size) ?? new Uint8Array(), root) === 0) return leaves;
      this.#parts.damaged(join("witness", node + LEAVES), "its leaves are not those of the checkpoint");
    } catch (thrown) {
      this.#parts.damaged(join("witness", node + LEAVES), textOf(thrown));
    }
    return undefined;
  }
}

/**
 * The last line of a file is our cosignature. If our key was rotated since, the log's own signature must verify under a pinned key.
 * @throws ProofError
 */
async function readCosigned(text: string, pinned: readonly VerifierKey[], { name, publicKey }: Identity) {
  const lines = text.trimEnd().split("\n");
  const line = lines.at(-1) ?? "";
  const note = text.slice(0, text.trimEnd().length - line.length);
  const ours = await verifyCosignatures(text, [witnessKeyOf({ name, publicKey: publicKey() })]);
  const [cosignature] = ours;
  if (cosignature === undefined) await verifyCheckpoint(text, pinned);
  const stamp = Buffer.from(line.split(" ").at(-1) ?? "", "base64");
  if (stamp.length !== 76) throw new ProofError("SIGNATURE_INVALID", "it is not cosigned");
  return { note, line, time: cosignature?.time ?? Number(stamp.readBigUInt64BE(4)) };
}

/** Whether a window is an earlier one with leaves appended. */
function continues({ head, hashes }: LeafWindow, before: LeafWindow): boolean {
  if (head !== before.head || hashes.length < before.hashes.length) return false;
  return Buffer.compare(hashes.subarray(0, before.hashes.length), before.hashes) === 0;
}

/** Makes the directory durably: its parent must be flushed too. */
async function made(directory: string): Promise<void> {
  if ((await mkdir(directory, { recursive: true, mode: 0o700 })) === undefined) return;
  const parent = await open(dirname(directory), "r");
  try {
    await parent.sync();
  } catch {
    // Some file systems cannot flush a directory, and need not.
  } finally {
    await parent.close();
  }
}

async function listed(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (thrown) {
    // No directory, so nothing is held.
    if (["ENOENT", "ENOTDIR"].includes((thrown as { code?: string }).code ?? "")) return [];
    throw thrown;
  }
}
