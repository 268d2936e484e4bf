// A log of a test's, and what a witness keeps of it.

import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import {
  formatCheckpoint,
  keyName,
  LeafWindow,
  leafHash,
  parseCheckpoint,
  type Signer,
  signNote,
} from "@capstan/orchestrator";
import { type Held, HeldLogs } from "./held-logs.ts";

const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

export function signerOf(node: string, fill: number): Signer & { signNow(bytes: Uint8Array): Uint8Array } {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, Buffer.alloc(32, fill)]), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  const signNow = (bytes: Uint8Array): Uint8Array => sign(null, bytes, key);
  return { name: keyName(node), publicKey, sign: async (bytes) => signNow(bytes), signNow };
}

export const NODE = "n-1";
const ITS_KEY = 1;
/** Bytes of a file of no leaves. */
export const EMPTY_LEAVES = LeafWindow.empty.head.length;

export interface KeptOptions {
  /** Our key. */
  readonly ours?: number;
  readonly pinned?: readonly string[];
}

export class Kept {
  static readonly LOG = `l-${"0".repeat(26)}`;
  readonly logs: HeldLogs;
  readonly damaged: string[] = [];
  readonly #signer: ReturnType<typeof signerOf>;

  constructor(directory: string | undefined, { ours = 2, pinned = [pin(ITS_KEY)] }: KeptOptions = {}) {
    this.#signer = signerOf("n-w", ours);
    const { name, publicKey } = this.#signer;
    this.logs = new HeldLogs({
      ...{ directory, identity: { name, publicKey: () => publicKey } },
      pinned: (node) => (node === NODE ? pinned : []),
      damaged: (file, why) => this.damaged.push(`${file}: ${why}`),
    });
  }

  /** @param from which entry on they are others */
  leaves(size: number, { from = size } = {}): LeafWindow {
    const all = Array.from({ length: size }, (_, i) => leafHash(i < from ? `a${i}` : `b${i}`));
    return LeafWindow.empty.grown(Buffer.concat(all));
  }

  root(size: number, options: { readonly from?: number } = {}): Uint8Array {
    return this.leaves(size, options).root(size) as Uint8Array;
  }

  async keep(size: number, options: { readonly from?: number; readonly node?: string } = {}): Promise<Held> {
    const { node = NODE } = options;
    const leaves = this.leaves(size, options);
    const text = formatCheckpoint({ log: Kept.LOG, size, root: this.root(size, options), epoch: 1, at: 7 });
    const note = await signNote(text, signerOf(node, ITS_KEY));
    const { identityLine } = this;
    const held: Held = {
      node,
      checkpoint: parseCheckpoint(text),
      note,
      leaves,
      time: 9,
      line: identityLine(text, 9),
    };
    await this.logs.opened;
    await this.logs.keep(held);
    return held;
  }

  readonly identityLine = (text: string, time: number): string => {
    const { name, publicKey, signNow } = this.#signer;
    const signature = signNow(new TextEncoder().encode(`cosignature/v1\ntime ${time}\n${text}`));
    const at = Buffer.alloc(8);
    at.writeBigUInt64BE(BigInt(time));
    const key = Buffer.concat([Buffer.from(`${name}\n`), Uint8Array.of(4), publicKey]);
    const id = new Bun.CryptoHasher("sha256").update(key).digest().subarray(0, 4);
    return `— ${name} ${Buffer.concat([id, at, signature]).toString("base64")}`;
  };

  async opened() {
    await this.logs.opened;
    return { held: this.logs.of(NODE), damaged: this.damaged, logs: this.logs };
  }
}

function pin(fill: number): string {
  return Buffer.from(signerOf(NODE, fill).publicKey).toString("base64url");
}
