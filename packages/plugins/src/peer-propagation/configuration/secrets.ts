// The secrets of pairs: written into files of the node by `peer.keep`, and read by a row's reference when a session needs them. They are in no
// message, row, event or log line.

import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Fault, FaultError, fault, type Right } from "@capstan/orchestrator";
import { type SecretSources, secretSources } from "../../executor/secret/secret-sources.ts";
import { isOwnFile } from "./decide-configuration.ts";

const FOLDER = "peers";
/** The most secrets that were received and are not written yet; usually there is one. */
const MOST_HELD = 64;
const MINUTE_MS = 60_000;
const BYTES = 32;
const ID_SHOWN = 8;
/** How long reading a secret may take, in milliseconds. */
const PATIENCE_MS = 10_000;

export interface Kept {
  readonly secret: { readonly secret: string };
  /** The secret's id, which is sent over the wire. */
  readonly id: string;
}

export class PeerSecrets {
  readonly #sources: ReturnType<typeof secretSources>;
  readonly #held = new Map<string, string>();

  constructor(sources: SecretSources | undefined) {
    this.#sources = secretSources(sources);
  }

  /** Keeps a secret in memory; answers a token that stands for it in a message. */
  hold(secret: string): string {
    const [oldest] = this.#held.keys();
    if (this.#held.size >= MOST_HELD && oldest !== undefined) this.#held.delete(oldest);
    const token = `held-${randomUUID()}`;
    this.#held.set(token, secret);
    return token;
  }

  /** Writes a held secret to its file, atomically. @throws FaultError */
  async keep(
    token: string,
    name: string,
    directory: string | undefined,
    idOf: (secret: Uint8Array) => string,
  ): Promise<Kept> {
    const secret = this.#held.get(token);
    this.#held.delete(token);
    if (directory === undefined)
      throw new FaultError(fault("NODE_WITHOUT_FILES", "the node has no data directory; use env: or file: instead"));
    if (secret === undefined)
      throw new FaultError(fault("PEER_INVALID", "the secret is not held any more; bring it again"));
    const id = idOf(Buffer.from(secret, "base64url"));
    // The name contains the secret's id, so that no other secret's file is overwritten.
    const file = `${name}-${id.slice(0, ID_SHOWN)}.secret`;
    const folder = join(directory, FOLDER);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, file);
    const temporary = `${path}.${randomUUID()}`;
    const opened = await open(temporary, "wx", 0o600);
    try {
      await opened.writeFile(`${secret}\n`);
      await opened.sync();
    } finally {
      await opened.close();
    }
    await rename(temporary, path);
    return { secret: { secret: `file:${FOLDER}/${file}` }, id };
  }

  /** Deletes files of the node that nothing refers to any more. */
  async forget(references: readonly string[], directory: string | undefined): Promise<void> {
    if (directory === undefined) return;
    for (const reference of references) {
      if (isOwnFile(reference)) await rm(join(directory, reference.slice("file:".length)), { force: true });
    }
  }

  /** Deletes files that a crash left, or that were written for a peer that was then refused. @param used the references in use */
  async sweep(used: ReadonlySet<string>, directory: string | undefined): Promise<void> {
    if (directory === undefined) return;
    const folder = join(directory, FOLDER);
    for (const file of await readdir(folder).catch(() => [])) {
      if (used.has(`file:${FOLDER}/${file}`)) continue;
      const { mtimeMs } = await stat(join(folder, file)).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
      // The message that will refer to a newer file may still be on its way.
      if (Date.now() - mtimeMs > MINUTE_MS) await rm(join(folder, file), { force: true });
    }
  }

  /** @param allows asks the present rights of the operator who configured the peer. @throws FaultError */
  async read(
    references: readonly { readonly secret: string }[],
    directory: string | undefined,
    allows: (right: Right) => Fault | undefined,
  ): Promise<readonly Uint8Array[]> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    return Promise.all(
      references.map(async ({ secret: reference }) => {
        const own = isOwnFile(reference);
        if (own && directory === undefined)
          throw new FaultError(fault("NODE_WITHOUT_FILES", `${reference}: the node has no data directory`));
        const found = own ? `file:${join(directory as string, reference.slice("file:".length))}` : reference;
        const text = await this.#sources.read(found, own ? () => undefined : allows, signal);
        const bytes = Buffer.from(text.trim(), "base64url");
        if (bytes.length < BYTES)
          throw new FaultError(
            fault("PEER_INVALID", `${reference}: a peer's secret is ${BYTES} random bytes in base64url`),
          );
        return bytes;
      }),
    );
  }
}
