// What plugins may have the node's key sign: texts whose first line is a label of the plugin's own, and cosignatures. The node signs
// with the same key what its log holds, and none of that begins with a label (plugin/composition.ts), nor as a cosignature does, so
// that no plugin can be made to sign any of it.

import { FaultError, fault } from "../fault/fault.ts";
import type { Identity } from "../plugin/plugin.ts";
import { parseCheckpoint } from "../proof/checkpoint.ts";
import { cosignatureLine, cosignedBytes } from "../proof/cosignature.ts";
import type { NodeSigner } from "./node-signer.ts";

export interface IdentityParts {
  readonly node: string;
  /** The plugin, and its labels. */
  readonly plugin: string;
  readonly signs: readonly string[];
  readonly cosigns: boolean;
  readonly epoch: number;
  /** The key in force. */
  signer(): NodeSigner;
}

export function identityOf({ node, plugin, signs, cosigns, epoch, signer }: IdentityParts): Identity {
  const labels = signs.map((label) => Buffer.from(`${label}\n`));
  const signed = (text: Uint8Array): Uint8Array => {
    const { signNow } = signer();
    if (signNow === undefined) refused(plugin, "needs a key that signs at once, which the node was not given");
    return signNow(text);
  };
  return {
    ...{ node, epoch },
    get publicKey() {
      return Buffer.from(signer().publicKey).toString("base64url");
    },
    sign(text) {
      const begins = (label: Buffer): boolean => label.equals(text.subarray(0, label.length));
      if (!labels.some(begins))
        refused(plugin, "has the key sign a text that begins with none of its labels (`signs`)");
      return signed(text);
    },
    cosign(text, time) {
      if (!cosigns) refused(plugin, "has the key cosign a checkpoint, and does not say that it does (`cosigns`)");
      if (!Number.isSafeInteger(time) || time < 1) refused(plugin, "has the key cosign at a time that is none");
      // Whatever is cosigned is a checkpoint, and written in its one form.
      parseCheckpoint(text);
      return cosignatureLine(signer(), time, signed(cosignedBytes(text, time)));
    },
  };
}

function refused(plugin: string, text: string): never {
  throw new FaultError(fault("COMPOSITION_INVALID", `plugin "${plugin}" ${text}`));
}
