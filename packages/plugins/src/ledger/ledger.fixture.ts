// What the tests of proofs share: a node's key that the test knows, logs that misbehave, and a history to ask for.

import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { type Log, memoryLog, type Signer, type StoredEntry, verifierOf } from "@capstan/orchestrator";
import { type HubOptions, startHub } from "../hub.fixture.ts";

/** PKCS #8's bytes before the seed of an ed25519 key (RFC 8410 §7). */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

export function signerOf(name: string, fill: number): Signer {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, Buffer.alloc(32, fill)]), format: "der", type: "pkcs8" });
  return {
    name,
    publicKey: createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32),
    sign: async (bytes) => sign(null, bytes, key),
  };
}

export const signer = signerOf("capstan/n-test", 1);
export const keys = [verifierOf(signer)];

/** A log, or its tree, of which some members are others. */
export function altered<Target extends object>(log: Target, change: Partial<Target>): Target {
  return new Proxy(log, {
    get(target, name) {
      const value = Reflect.get(name in change ? change : target, name) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** A log that gives out something else than was stored. */
export function misread(log: Log, misread: (entry: StoredEntry) => StoredEntry | undefined): Log {
  return altered(log, {
    read: async (from, options) => (await log.read(from, options)).flatMap((entry) => misread(entry) ?? []),
  });
}

/** A hub with a registered action and `performs` performings of it: 2 + 2 × performs entries, or fewer where they share one. */
export async function withPerforms(performs: number, options: HubOptions & { readonly log?: Log } = {}) {
  const log = options.log ?? memoryLog();
  const started = await startHub({ ...options, log, signer });
  await started.app.action.register({ name: "greet", protocol: "echo" });
  for (let input = 1; input <= performs; input++) await started.app.action.perform({ name: "greet", input });
  return { ...started, log };
}
