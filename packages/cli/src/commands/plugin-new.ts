// `capstan plugin new NAME`: a working plugin with a test, in a new directory. What is there already stays as it is.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FaultError, fault, printable } from "@capstan/orchestrator";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { usageFault } from "../fault/thrown.ts";
import { reasonOf } from "../input/json-input.ts";
import { type PluginNames, pluginFiles, pluginNames } from "./plugin-template.ts";
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
      const written = write(cli.io.cwd, names);
      cli.printer.data(
        { plugin: names.kebab, files: written },
        () => `${written.map((file) => `wrote ${file}\n`).join("")}`,
      );
      cli.printer.note(
        `  next: put ${names.camel}() into the plugins of capstan.config.ts; ${names.kebab}/README.md shows how`,
      );
    })
    .addHelpText("after", "\nexamples:\n  $ capstan plugin new tea-time\n");
  pluginTestCommand(plugin, cli);
}

/** @throws FaultError FILE_UNWRITABLE */
function write(cwd: string, names: PluginNames): string[] {
  const files = Object.entries(pluginFiles(names));
  try {
    // A directory of its own, made here: nothing can be in it to overwrite.
    mkdirSync(join(cwd, names.kebab));
    for (const [file, text] of files) writeFileSync(join(cwd, names.kebab, file), text, { flag: "wx" });
  } catch (error) {
    throw new FaultError(
      fault("FILE_UNWRITABLE", `./${names.kebab} cannot be made: ${reasonOf(error)}; nothing was overwritten`),
    );
  }
  return files.map(([file]) => `./${names.kebab}/${file}`);
}
