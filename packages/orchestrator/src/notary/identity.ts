// What plugins may have the node's key sign: texts whose first line is a label of the plugin's own. The node signs with the same key
// what its log holds, and none of that begins with a label (plugin/composition.ts), so that no plugin can be made to sign any of it.

import { FaultError, fault } from "../fault/fault.ts";
import type { Identity } from "../plugin/plugin.ts";
import type { NodeSigner } from "./node-signer.ts";

export interface IdentityParts {
  readonly node: string;
  /** The plugin, and its labels. */
  readonly plugin: string;
  readonly signs: readonly string[];
  readonly epoch: number;
  /** The key in force. */
  signer(): NodeSigner;
}

export function identityOf({ node, plugin, signs, epoch, signer }: IdentityParts): Identity {
  const labels = signs.map((label) => Buffer.from(`${label}\n`));
  return {
    ...{ node, epoch },
    get publicKey() {
      return Buffer.from(signer().publicKey).toString("base64url");
    },
    sign(text) {
      const begins = (label: Buffer): boolean => label.equals(text.subarray(0, label.length));
      if (!labels.some(begins))
        refused(plugin, "has the key sign a text that begins with none of its labels (`signs`)");
      const { signNow } = signer();
      if (signNow === undefined) refused(plugin, "needs a key that signs at once, which the node was not given");
      return signNow(text);
    },
  };
}

function refused(plugin: string, text: string): never {
  throw new FaultError(fault("COMPOSITION_INVALID", `plugin "${plugin}" ${text}`));
}
