// `capstan protocol new NAME`: a working protocol with a test, in a new directory. What is there already stays as it is.

import { printable } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { usageFault } from "../fault/thrown.ts";
import { writeNewDirectory } from "../output/new-directory.ts";
import { pluginNames } from "./plugin-template.ts";
import { protocolFiles } from "./protocol-template.ts";

/** Stands beside the verbs of the resource `protocol`, which are messages. */
export function protocolCommand(program: Command, cli: Cli): void {
  program
    .command("protocol")
    .description("Write a protocol of your own, or ask about those that are there.")
    .helpCommand("help [verb]", "print help of a verb")
    .command("new")
    .description("Write a protocol with a test, in a directory of its name.")
    .argument("<name>", "in lower case, with dashes: line-printer")
    .action((name: string) => {
      const names = pluginNames(name);
      if (names === undefined)
        throw usageFault(`"${printable(name)}" is no name of a protocol; write one like line-printer`);
      const written = writeNewDirectory(cli.io.cwd, names.kebab, protocolFiles(names));
      cli.printer.data(
        { protocol: names.kebab, files: written },
        () => `${written.map((file) => `wrote ${file}\n`).join("")}`,
      );
      cli.printer.note(
        `  next: put ${names.camel}() into the protocols of capstan.config.ts; ${names.kebab}/README.md shows how`,
      );
    })
    .examples("capstan protocol new line-printer", "capstan plugin test line-printer");
}
