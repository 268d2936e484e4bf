// What may be said about any call: `--key` and `--wait`.

import type { Command } from "../command.ts";
import { duration } from "../input/duration.ts";

export function addCallOptions(command: Command, taken: readonly string[] = []): Command {
  if (!taken.includes("key")) command.option("--key <key>", "idempotency key: a repeat joins the first");
  if (!taken.includes("wait")) command.option("--wait <duration>", "how long to wait for the outcome; 0 only accepts");
  return command;
}

export function callOptions({ key, wait }: { readonly key?: string; readonly wait?: string }): object | undefined {
  if (key === undefined && wait === undefined) return undefined;
  return {
    ...(key === undefined ? {} : { key }),
    ...(wait === undefined ? {} : { wait: duration(wait, "--wait") }),
  };
}
