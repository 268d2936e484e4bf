// `capstan help exit-codes`, and `capstan exit-codes`: what the program ends with.

import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { exitCodeMeanings } from "../fault/exit-codes.ts";
import { columns } from "../output/columns.ts";

export function exitCodesCommand(program: Command, cli: Cli): void {
  program
    .command("exit-codes")
    .description("Tell what the program ends with.")
    .action(() => cli.printer.data(Object.fromEntries(exitCodeMeanings), table))
    .addHelpText("after", `\nexit codes:\n${table().replace(/^(?=.)/gm, "  ")}`);
}

function table(): string {
  return columns(exitCodeMeanings.map(([code, meaning]) => [code, meaning]));
}
