// A new secret in a file that only its owner can read. The server is given its digest alone.

import { type FileHandle, open, unlink } from "node:fs/promises";
import { resolve } from "node:path";
import { FaultError, fault, printable } from "@capstan/orchestrator/remote";
import { credentialDigest } from "@capstan/plugins/remote";
import type { Io } from "../io.ts";
import { reasonOf } from "./json-input.ts";

export interface SecretFile {
  /** SHA-256 of the secret, base64url: what may be told. */
  readonly digest: string;
  /** The server refused: nothing goes by it. */
  remove(): Promise<void>;
}

/** Makes 32 random bytes, in a new file of mode 0600. @throws FaultError FILE_UNWRITABLE; nothing is overwritten */
export async function makeSecretFile(io: Io, path: string): Promise<SecretFile> {
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
  const file = resolve(io.cwd, path);
  let handle: FileHandle;
  try {
    handle = await open(file, "wx", 0o600);
  } catch (error) {
    throw new FaultError(fault("FILE_UNWRITABLE", `${printable(path)} cannot be made: ${reasonOf(error)}`));
  }
  try {
    await handle.writeFile(`${secret}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { digest: credentialDigest(secret), remove: () => unlink(file) };
}
