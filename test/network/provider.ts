// What the nodes' actions run on: a protocol that writes down each run before anything else is said of it, in an append-only file of its
// node's, and takes its time before or after. That something ran twice is seen by counting.

import { closeSync, openSync, writeSync } from "node:fs";
import { defineProtocol, type Protocol } from "@capstan/plugins";
import { z } from "zod";

export interface Input {
  /** Of the request, and nobody else's. */
  readonly n: number;
  /** Milliseconds until it has run, and from then on until it answers. */
  readonly before: number;
  readonly after: number;
}

export interface Output {
  readonly n: number;
  readonly by: string;
}

/** A line for each run: the request's number, and the execution at that node. */
export const RUNS = "runs";

export function provider(name: string, file: string): Protocol {
  const opened = openSync(file, "a");
  process.on("exit", () => closeSync(opened));
  return defineProtocol({
    name: "write-down",
    configSchema: z.strictObject({}),
    async execute({ id, input }) {
      const { n, before, after } = input as Input;
      if (before > 0) await Bun.sleep(before);
      writeSync(opened, `${n} ${id}\n`);
      if (after > 0) await Bun.sleep(after);
      return { n, by: name } satisfies Output;
    },
  });
}
