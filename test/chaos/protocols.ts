// What the chaos server's actions run on: two that may run twice, and one that must not. Every run says who it was and
// which run of that process, so that an output of another run than the acknowledged one is seen.

import { closeSync, existsSync, fsyncSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Call, Protocol } from "@capstan/plugins";
import { z } from "zod";
import type { KillSwitch } from "./kill-point.ts";

export interface Input {
  /** The caller's idempotency key: what the side effect is told apart by. */
  readonly key: string;
  readonly text: string;
}

export interface Output extends Input {
  readonly pid: number;
  readonly run: number;
}

const configSchema = z.object({});

/** Lines of `key pid attempt-key`, one for each time that a non-idempotent action ran. */
export const SIDE_EFFECTS = "side-effects";

/** Ends when its process does. */
export const endless: Protocol = { name: "endless", configSchema, execute: () => new Promise<never>(() => {}) };

export function chaosProtocols(kill: KillSwitch, directory: string): readonly Protocol[] {
  const file = openSync(join(directory, SIDE_EFFECTS), "a");
  process.on("exit", () => closeSync(file));
  let runs = 0;
  const output = ({ input }: Call): Output => ({ ...(input as Input), pid: process.pid, run: ++runs });

  return [
    endless,
    {
      name: "sync",
      configSchema,
      execute(call) {
        kill.reached("effect:sync");
        return output(call);
      },
    },
    {
      name: "async",
      configSchema,
      async execute(call) {
        const made = output(call);
        await new Promise((resolve) => setImmediate(resolve));
        kill.reached("effect:async");
        return made;
      },
    },
    {
      name: "once",
      configSchema,
      execute(call) {
        kill.reached("effect:once-before");
        writeSync(file, `${(call.input as Input).key} ${process.pid} ${call.key}\n`);
        fsyncSync(file);
        kill.reached("effect:once-after");
        return output(call);
      },
    },
    {
      // Hangs the first time that it runs under a key, until its process dies.
      name: "stuck",
      configSchema,
      async execute(call) {
        const begun = join(directory, `begun-${(call.input as Input).key}`);
        if (existsSync(begun)) return output(call);
        writeFileSync(begun, "");
        return new Promise<never>(() => {});
      },
    },
  ];
}
