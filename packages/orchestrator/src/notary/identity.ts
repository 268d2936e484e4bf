// What plugins may sign with the node's key: texts whose first line is one of the plugin's labels, and cosignatures. The same key signs
// the log's checkpoints and key rotations. None of these texts begins with a label (plugin/composition.ts) or like a cosignature, so
// that no plugin can be tricked into signing one.

import { FaultError, fault } from "../fault/fault.ts";
import type { Identity } from "../plugin/plugin.ts";
import { parseCheckpoint } from "../proof/checkpoint.ts";
import { cosignatureLine, cosignedBytes } from "../proof/cosignature.ts";
import type { NodeSigner } from "./node-signer.ts";

export interface IdentityParts {
  readonly node: string;
  /** The plugin's name, and the labels with which its texts must begin. */
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
      // Refuses anything but a checkpoint in its canonical form.
      parseCheckpoint(text);
      return cosignatureLine(signer(), time, signed(cosignedBytes(text, time)));
    },
  };
}

function refused(plugin: string, text: string): never {
  throw new FaultError(fault("COMPOSITION_INVALID", `plugin "${plugin}" ${text}`));
}
