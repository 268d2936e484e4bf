// The CLI's front door: a command line in, output and an exit code out. Whatever goes wrong is one fault, never a stack.

import { fault } from "@capstan/orchestrator/remote";
import { CommanderError } from "commander";
import { Cli } from "./cli.ts";
import { exitCodeOf, exitCodes } from "./fault/exit-codes.ts";
import { thrownFault, usageFault } from "./fault/thrown.ts";
import { reasonOf } from "./input/json-input.ts";
import type { Io } from "./io.ts";
import { Printer } from "./output/printer.ts";
import { programFor, withHelpAsked } from "./program.ts";
import { dotEnv } from "./settings/settings.ts";

export type { Io } from "./io.ts";

/** Runs a command line (without the program's own name). Gives the exit code; never throws. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const cli = new Cli(io);
  cli.printer.json = isJson(argv, io);
  try {
    const program = await programFor(cli, argv);
    await program.parseAsync([...withHelpAsked(program, argv, cli.printer.json)], { from: "user" });
    return cli.exitCode;
  } catch (thrown) {
    // Help and version are no faults.
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCodes.ok;
    // Words that are no whole command: people were told the help.
    const unfinished = thrown instanceof CommanderError && thrown.code === "commander.help";
    if (unfinished && !cli.printer.json) return exitCodes.usage;
    const fault = thrownFault(unfinished ? usageFault("a command is missing; see --help") : thrown);
    if (isSet(io, "CAPSTAN_DEBUG") && thrown instanceof Error) io.stderr(`${thrown.stack}\n`);
    cli.printer.fault(fault);
    return exitCodeOf(fault.code);
  }
}

/** Says that standard output does not take what a command says. Gives the exit code. */
export function outputLost(argv: readonly string[], io: Io, error: unknown): number {
  const printer = new Printer(io);
  printer.json = isJson(argv, io);
  const lost = fault("FILE_UNWRITABLE", `standard output cannot be written: ${reasonOf(error)}`);
  printer.fault(lost);
  return exitCodeOf(lost.code);
}

function isJson(argv: readonly string[], io: Io): boolean {
  // Behind -- is somebody else's command line.
  const ours = argv.includes("--") ? argv.slice(0, argv.indexOf("--")) : argv;
  return ours.includes("--json") || isSet(io, "CAPSTAN_JSON");
}

function isSet(io: Io, name: string): boolean {
  return !/^(0|false|no|off)?$/i.test(io.env[name] ?? dotEnv(io.cwd)[name] ?? "");
}
