// `capstan messages`: all that can be asked of the running server, its plugins' messages included.

import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import type { DescribedMessage } from "../messages/described.ts";
import { columns } from "../output/columns.ts";
import { ask } from "../remote/ask.ts";

export function messagesCommand(program: Command, cli: Cli): void {
  program
    .command("messages")
    .description("List every message that the server takes.")
    .action(async () => {
      const listed = (await ask(await cli.target(), "message.list")) as readonly DescribedMessage[];
      cli.printer.data(listed, () =>
        columns(listed.map(({ name, kind, plugin, summary }) => [name, kind, plugin, summary])),
      );
    });
}
