// The first start's administrator credential: 32 random bytes in a file that only its owner can read. What is decided and
// recorded is its digest.

import { closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Facts, FaultError, fault, type Reader } from "@capstan/orchestrator";
import { credentialDigest } from "./credential.ts";
import { grantTable } from "./schema.ts";

export interface AdminFacts {
  /** SHA-256 of the credential, base64url. */
  readonly credential: string;
}

export const ADMIN_TOKEN_FILE = "admin.token";

/** Makes the credential where there is no grant yet and a directory to keep it in. */
export async function adminFacts(reader: Reader): Promise<Facts> {
  const { directory } = reader.node;
  if (directory === undefined || reader.get(grantTable, "g-1") !== undefined) return {};
  const credential = credentialDigest(adminToken(join(directory, ADMIN_TOKEN_FILE)));
  return { "auth.admin": { credential } satisfies AdminFacts };
}

/** The token in the file; made, mode 0600, where there is none. */
function adminToken(path: string): string {
  try {
    const token = readFileSync(path, "utf8").trim();
    const mode = statSync(path).mode & 0o777;
    if ((mode & 0o077) !== 0) {
      const text = `${path} has mode 0${mode.toString(8)}, and others may read it; chmod 600 it, or remove it to have another made`;
      throw new FaultError(fault("KEY_FILE_INVALID", text));
    }
    if (token.length >= 32) return token;
    throw new FaultError(
      fault("CREDENTIAL_INVALID", `${path} holds no token of 32 characters or more; remove it to have one made`),
    );
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT") throw error;
  }
  const token = newToken();
  const file = openSync(path, "wx", 0o600);
  try {
    writeSync(file, `${token}\n`);
    // Before its digest is in the log: a power cut must not leave a credential that nobody has.
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return token;
}

/** 32 random bytes, as text. */
export function newToken(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
}
