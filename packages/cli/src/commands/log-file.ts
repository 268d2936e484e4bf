// The commands of a log's file, beside those that come out of the message table: what works with nothing of a server running.

import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { logSalvage } from "./log-salvage.ts";
import { logVerify } from "./log-verify.ts";

export function logCommand(program: Command, cli: Cli): void {
  const log = program
    .command("log")
    .description(
      "list, show, tail, head, explain, receipt, checkpoint, proof, export, compact, redact; verify, salvage",
    )
    .helpCommand("help [verb]", "print help of a verb");
  logVerify(log, cli);
  logSalvage(log, cli);
}
