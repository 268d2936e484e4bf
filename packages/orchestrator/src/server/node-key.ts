// A node's identity: an ed25519 key in its data directory, and the id that follows from it.

import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { getPublicKeyAsync, utils } from "@noble/ed25519";
import { FaultError, fault } from "../fault/fault.ts";
import type { NodeInfo } from "../plugin/plugin.ts";

export interface Node extends NodeInfo {
  readonly directory: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

const KEY_FILE = "node.key";
const SEED_BYTES = 32;
const ID_HEX = 8;

/** Opens a data directory's node; the first time makes the directory (0700) and the key (0600). @throws FaultError KEY_FILE_INVALID */
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
  const publicKey = await getPublicKeyAsync(seed);
  const id = `n-${Bun.SHA256.hash(publicKey, "hex").slice(0, ID_HEX)}`;
  return { id, name: name ?? id, directory, publicKey };
}

function readSeed(path: string): Uint8Array | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const mode = fstatSync(file).mode & 0o777;
    if ((mode & 0o077) !== 0) {
      throw new FaultError(
        fault("KEY_FILE_INVALID", `${path} has mode 0${mode.toString(8)}, and others may read it; chmod 600 it`),
      );
    }
    const seed = Buffer.from(readFileSync(file, "utf8").trim(), "base64url");
    if (seed.length !== SEED_BYTES)
      throw new FaultError(fault("KEY_FILE_INVALID", `${path} does not hold a key of 32 bytes in base64url`));
    return seed;
  } finally {
    closeSync(file);
  }
}

function makeSeed(path: string): Uint8Array {
  const seed = utils.randomSecretKey();
  const file = openSync(path, "wx", 0o600);
  try {
    writeSync(file, `${Buffer.from(seed).toString("base64url")}\n`);
  } finally {
    closeSync(file);
  }
  return seed;
}
