// `capstan key rotate`: another key signs for the node from here on, and the one before has signed that it does.

import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { shown } from "../output/shown.ts";
import { answered, converse } from "../remote/ask.ts";

interface Rotated {
  readonly node: string;
  /** The new verifier key. */
  readonly key: string;
  readonly entry: number;
}

export function keyCommand(program: Command, cli: Cli): void {
  const key = program
    .command("key")
    .description("Have another key sign for the node.")
    .helpCommand("help [verb]", "print help of a verb");
  key
    .command("rotate")
    .description("Make another key; the one before signs that it follows.")
    .action(() => rotate(cli))
    .addHelpText(
      "after",
      `
What was signed before still verifies by the key before, up to the entry of the rotation, and that entry leads to the new one. Give
the new node.pub to whoever holds the old one, and keep the new node.key where the old one was kept.
`,
    )
    .examples("capstan key rotate");
}

async function rotate(cli: Cli): Promise<void> {
  const [answer] = await converse(await cli.target(), (send) => [send("key.rotate")]);
  const rotated = answered(answer) as Rotated;
  cli.printer.data(
    rotated,
    () => `${shown(rotated.node)} signs as of entry ${rotated.entry} with\n${shown(rotated.key)}\n`,
  );
  cli.printer.note("  keep the new node.key, and node.id, where the old key was kept; give out the new node.pub");
}
