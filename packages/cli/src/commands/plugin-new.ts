// `capstan plugin new NAME`: a working plugin with a test, in a new directory. What is there already stays as it is.

import { printable } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { usageFault } from "../fault/thrown.ts";
import { writeNewDirectory } from "../output/new-directory.ts";
import { pluginFiles, pluginNames } from "./plugin-template.ts";
import { pluginTestCommand } from "./plugin-test.ts";

export function pluginCommand(program: Command, cli: Cli): void {
  const plugin = program
    .command("plugin")
    .description("Write a plugin of your own, and test it.")
    .helpCommand("help [verb]", "print help of a verb");
  plugin
    .command("new")
    .description("Write a plugin with a test, in a directory of its name.")
    .argument("<name>", "in lower case, with dashes: tea-time")
    .action((name: string) => {
      const names = pluginNames(name);
      if (names === undefined) throw usageFault(`"${printable(name)}" is no name of a plugin; write one like tea-time`);
      const written = writeNewDirectory(cli.io.cwd, names.kebab, pluginFiles(names));
      cli.printer.data(
        { plugin: names.kebab, files: written },
        () => `${written.map((file) => `wrote ${file}\n`).join("")}`,
      );
      cli.printer.note(
        `  next: put ${names.camel}() into the plugins of capstan.config.ts; ${names.kebab}/README.md shows how`,
      );
    })
    .examples("capstan plugin new tea-time");
  pluginTestCommand(plugin, cli);
}
