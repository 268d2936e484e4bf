// A node's secret key in a file that only its owner can read: 32 bytes in base64url. Nothing else reads or makes it.

import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { utils } from "@noble/ed25519";
import { syncDirectory } from "../backup/sync.ts";
import { FaultError, fault } from "../fault/fault.ts";
import { SEED_BYTES } from "../notary/signer.ts";

const OTHERS = 0o077;
/** Modes of files: for the owner only, and readable by everybody. */
const SECRET = 0o600;
const PUBLIC = 0o644;

/** `undefined` where there is no such file. @throws FaultError KEY_FILE_INVALID */
export function readSeed(path: string): Uint8Array | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const mode = fstatSync(file).mode & 0o777;
    if ((mode & OTHERS) !== 0) {
      throw invalid(`${path} has mode 0${mode.toString(8)}, and others may read it; chmod 600 it`);
    }
    const seed = Buffer.from(readFileSync(file, "utf8").trim(), "base64url");
    if (seed.length !== SEED_BYTES) throw invalid(`${path} does not hold a key of ${SEED_BYTES} bytes in base64url`);
    return seed;
  } finally {
    closeSync(file);
  }
}

/** Makes a key, durable once this returns; answers the key of another process where that was quicker. */
export function makeSeed(path: string): Uint8Array {
  const temporary = `${path}.${process.pid}.tmp`;
  const seed = utils.randomSecretKey();
  write(temporary, `${Buffer.from(seed).toString("base64url")}\n`, SECRET);
  try {
    // A link and not a rename, which would replace a key that another process has just made.
    linkSync(temporary, path);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "EEXIST") return readSeed(path) ?? makeSeed(path);
    // This file system has no links.
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
  syncDirectory(dirname(path));
  return seed;
}

/** Replaces a public file, atomically and durably. */
export function replacePublic(path: string, text: string): void {
  const temporary = `${path}.tmp`;
  write(temporary, text, PUBLIC);
  renameSync(temporary, path);
  syncDirectory(dirname(path));
}

function write(path: string, text: string, mode: number): void {
  rmSync(path, { force: true });
  const file = openSync(path, "wx", mode);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

export function invalid(text: string): FaultError {
  return new FaultError(fault("KEY_FILE_INVALID", text));
}
