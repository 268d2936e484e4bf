// What the kernel's own commands read before they are decided, and how their effects are carried out. `running` looks the parts up when they
// are needed: the kernel's plugin is part of the composition, and so is made before them.

import type { Log } from "../log/log.ts";
import { type KeyRotation, ROTATABLE, ROTATE_KEY } from "../notary/key-rotation.ts";
import type { Notary } from "../notary/notary.ts";
import type { Composition } from "../plugin/composition.ts";
import type { AnyPlugin, EffectHandlers } from "../plugin/plugin.ts";
import type { Reader } from "../plugin/reader.ts";
import type { Committer } from "./committer.ts";
import { type Preparation, prepareHeld } from "./prepare.ts";
import { TRIM } from "./upkeep/decide-compaction.ts";
import { redactable } from "./upkeep/redactable.ts";
import { retention } from "./upkeep/retention.ts";
import { Trimming } from "./upkeep/trimming.ts";
import type { Waiters } from "./waiters.ts";

export interface KernelOperationParts {
  readonly log: Log;
  readonly rotation: KeyRotation;
  readonly keyWindow: number;
  running(): {
    readonly composition: Composition;
    readonly reader: Reader;
    readonly notary: Notary;
    readonly committer: Committer;
    readonly waiters: Waiters;
    readonly preparation: Preparation;
  };
}

export function kernelOperations({ log, rotation, keyWindow, running }: KernelOperationParts): {
  readonly prepare: NonNullable<AnyPlugin["prepare"]>;
  readonly effects: EffectHandlers;
} {
  const trimming = new Trimming({
    log,
    pause,
    reader: () => running().reader,
    decidedIsDurable: async () => running().committer.whenDurable(running().committer.tip),
  });
  return {
    prepare: {
      "message.settle": (envelope, reader) => prepareHeld(running().preparation, envelope, reader),
      "key.rotate": async () => ({ [ROTATABLE]: rotation.possible }),
      "log.compact": (envelope) => {
        const { waiters, preparation: _, ...parts } = running();
        return retention({ ...parts, log, keyWindow, pause, oldestAwaited: () => waiters.oldest })(envelope);
      },
      "log.redact": (envelope) => redactable({ ...running(), log, pause })(envelope),
    },
    effects: { [ROTATE_KEY]: rotation, [TRIM]: trimming },
  };
}

/** Waits for a turn of the event loop, so that a long look through the log does not hold up others. */
function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
