// The CLI's front door: a command line in, output and an exit code out. Whatever goes wrong is one fault, never a stack.

import { CommanderError } from "commander";
import { Cli } from "./cli.ts";
import { exitCodeOf, exitCodes } from "./fault/exit-codes.ts";
import { thrownFault, usageFault } from "./fault/thrown.ts";
import type { Io } from "./io.ts";
import { programFor } from "./program.ts";
import { dotEnv } from "./settings/settings.ts";

export type { Io } from "./io.ts";

/** Runs a command line (without the program's own name). Gives the exit code; never throws. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const cli = new Cli(io);
  const variable = (name: string): string => io.env[name] ?? dotEnv(io.cwd)[name] ?? "";
  const isSet = (name: string): boolean => !/^(0|false|no|off)?$/i.test(variable(name));
  // Behind -- is somebody else's command line.
  const ours = argv.includes("--") ? argv.slice(0, argv.indexOf("--")) : argv;
  cli.printer.json = ours.includes("--json") || isSet("CAPSTAN_JSON");
  try {
    const program = await programFor(cli, argv);
    if (argv.length === 0) {
      io.stderr(program.helpInformation());
      return exitCodes.usage;
    }
    await program.parseAsync([...argv], { from: "user" });
    return cli.exitCode;
  } catch (thrown) {
    // Help and version are no faults.
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCodes.ok;
    // Words that are no whole command: people were told the help.
    const unfinished = thrown instanceof CommanderError && thrown.code === "commander.help";
    if (unfinished && !cli.printer.json) return exitCodes.usage;
    const fault = thrownFault(unfinished ? usageFault("a command is missing; see --help") : thrown);
    if (isSet("CAPSTAN_DEBUG") && thrown instanceof Error) io.stderr(`${thrown.stack}\n`);
    cli.printer.fault(fault);
    return exitCodeOf(fault.code);
  }
}
