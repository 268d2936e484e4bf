// `capstan explain`: why a message was decided as it was. An execution's id stands for the message that asked for it, a dead
// letter's for the one that added it.

import { siblingId } from "@capstan/orchestrator";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type Explained, explanation } from "../output/explanation.ts";
import { ask } from "../remote/ask.ts";

export function explainCommand(program: Command, cli: Cli): void {
  program
    .command("explain")
    .description("Tell why a message was decided as it was, plugin by plugin.")
    .argument("<id>", "of a message (m-…), an execution (x-…) or a dead letter (d-…)")
    .action(async (id: string) => {
      const answer = await ask(await cli.target(), "log.explain", {
        id: /^[xd]-/.test(id) ? siblingId(id, "m") : id,
      });
      cli.printer.data(answer, () => explanation(answer as Explained));
    });
}
