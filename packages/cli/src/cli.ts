// What every command is given: the process, the flags, the settings in force, where to print, and whom to ask.

import { type ExitCode, exitCodes } from "./fault/exit-codes.ts";
import type { Io } from "./io.ts";
import { Printer } from "./output/printer.ts";
import { Settings } from "./settings/settings.ts";
import { findTarget, type Target } from "./settings/target.ts";

export class Cli {
  readonly io: Io;
  readonly printer: Printer;
  /** What a command that did not throw ends with. */
  exitCode: ExitCode = exitCodes.ok;
  #settings: Settings;
  #target: Promise<Target> | undefined;

  constructor(io: Io) {
    this.io = io;
    this.printer = new Printer(io);
    this.#settings = new Settings(io, {});
  }

  /** Once the command line is read, before its command runs. */
  configure(flags: Readonly<Record<string, unknown>>): void {
    this.#settings = new Settings(this.io, flags);
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** The server, and as whom; found once. @throws FaultError */
  target(): Promise<Target> {
    this.#target ??= findTarget(this.#settings, this.io.cwd);
    return this.#target;
  }
}
