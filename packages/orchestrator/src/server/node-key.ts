// A node's identity: an ed25519 key in its data directory, and an id derived from its first key. A rotation makes the next key in a file
// beside it, and renames that into place once the log has admitted the key (notary/key-rotation.ts).

import { mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { syncDirectory } from "../backup/sync.ts";
import type { NodeSigner, Succession } from "../notary/node-signer.ts";
import { publicKeyOfSeed, signerOf } from "../notary/signer.ts";
import type { NodeInfo } from "../plugin/reader.ts";
import { formatVerifierKey, type Signer } from "../proof/note.ts";
import { invalid, makeSeed, readSeed, replacePublic } from "./key-file.ts";

/** A node's identity: its id, name, directory and signer. */
export interface Node extends NodeInfo {
  readonly directory: string;
  readonly signer: NodeSigner;
}

const KEY_FILE = "node.key";
const NEXT_KEY_FILE = "node.key.next";
/** Holds the verifier key: one line, public. */
const PUBLIC_FILE = "node.pub";
/** Holds the node's id, once the first key was replaced and the id cannot be derived any more. */
const ID_FILE = "node.id";
const ID_HEX = 8;

/**
 * Opens the node of a data directory; the first time it makes the directory (mode 0700) and the key (0600).
 * @throws FaultError KEY_FILE_INVALID
 */
export async function openNode({
  directory,
  name,
}: {
  readonly directory: string;
  readonly name?: string;
}): Promise<Node> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, KEY_FILE);
  const seed = readSeed(path) ?? makeSeed(path);
  const { id, signer } = identityOf(directory, seed);
  try {
    publish(directory, signer);
  } catch {
    // The disk is full or read-only. The public file is a convenience: the next start tries again.
  }
  return { id, name: name ?? id, directory, signer: { ...signer, succession: successionIn(directory, id) } };
}

/** The node's key if there is one; makes nothing. @throws FaultError KEY_FILE_INVALID */
export async function readNodeKey(directory: string): Promise<Signer | undefined> {
  const seed = readSeed(join(directory, KEY_FILE));
  return seed === undefined ? undefined : identityOf(directory, seed).signer;
}

/** The 32 secret bytes, for transports that prove the node's identity themselves (iroh). @throws FaultError KEY_FILE_INVALID */
export function readNodeSeed(directory: string): Uint8Array {
  const path = join(directory, KEY_FILE);
  const seed = readSeed(path);
  if (seed === undefined) throw invalid(`${path} is not there`);
  return seed;
}

function identityOf(directory: string, seed: Uint8Array): { readonly id: string; readonly signer: NodeSigner } {
  const id = readId(directory) ?? `n-${Bun.SHA256.hash(publicKeyOfSeed(seed), "hex").slice(0, ID_HEX)}`;
  return { id, signer: signerOf(id, seed) };
}

function readId(directory: string): string | undefined {
  const path = join(directory, ID_FILE);
  let id: string;
  try {
    id = readFileSync(path, "utf8").trim();
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
  if (!/^n-[0-9a-f]{8}$/.test(id)) throw invalid(`${path} does not hold a node's id, like n-7f3a1b2c`);
  return id;
}

function publish(directory: string, signer: Signer): void {
  const path = join(directory, PUBLIC_FILE);
  const line = `${formatVerifierKey(signer)}\n`;
  let before: string | undefined;
  try {
    before = readFileSync(path, "utf8");
  } catch {
    // There is none yet.
  }
  if (before !== line) replacePublic(path, line);
}

/** A crash may follow any step: the next start goes on from the files that are there. */
function successionIn(directory: string, id: string): Succession {
  const path = join(directory, NEXT_KEY_FILE);
  const made = async (): Promise<NodeSigner | undefined> => {
    const seed = readSeed(path);
    return seed === undefined ? undefined : signerOf(id, seed);
  };
  return {
    made,
    async next() {
      return (await made()) ?? signerOf(id, makeSeed(path));
    },
    async promote() {
      const signer = await made();
      if (signer === undefined) return;
      // The id is written first, because it cannot be derived from the new key.
      if (readId(directory) === undefined) replacePublic(join(directory, ID_FILE), `${id}\n`);
      renameSync(path, join(directory, KEY_FILE));
      syncDirectory(directory);
      publish(directory, signer);
    },
    async discard() {
      rmSync(path, { force: true });
    },
  };
}
