// `capstan serve`: its grammar. What it does is serve-node.ts, which takes the kernel and is loaded where a node is to run.

import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { addServeOptions } from "./serve-options.ts";

export function serveCommand(program: Command, cli: Cli): void {
  const command = program
    .command("serve")
    .description("Run a node.")
    .action(async () => {
      cli.configure(command.optsWithGlobals());
      const { serveNode } = await import("./serve-node.ts");
      await serveNode(cli);
    });
  addServeOptions(command);
  command.examples(
    "capstan serve",
    "capstan serve --memory --listen 127.0.0.1:0",
    "CAPSTAN_DATA=/var/lib/capstan capstan serve --name berlin --log-level warn",
  );
}
