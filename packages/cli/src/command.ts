// A command of ours: commander's, which keeps its examples. Its help lists them, and whoever left something out is shown the first.

import { Command as Commander, type ErrorOptions, Help } from "commander";
import { usageFault } from "./fault/thrown.ts";
import { usageText } from "./fault/usage-text.ts";
import { wordOf } from "./word-of.ts";

export class Command extends Commander {
  declare readonly commands: readonly Command[];
  declare parent: Command | null;
  #example: string | undefined;

  override createCommand(name?: string): Command {
    return new Command(name);
  }

  override createHelp(): Help {
    return Object.assign(new OurHelp(), this.configureHelp());
  }

  /** Command lines as they are typed; the first is as short as the command can be. */
  examples(...lines: readonly string[]): this {
    this.#example = lines[0];
    return this.addHelpText("after", `\nexamples:\n${lines.map((line) => `  $ ${line}\n`).join("")}`);
  }

  /** `capstan action register` */
  get path(): string {
    return [this.parent?.path, this.name()].filter(Boolean).join(" ");
  }

  isCalled(word: string): boolean {
    return this.name() === word || this.aliases().includes(word);
  }

  /** @param what the words and options that were left out @throws FaultError USAGE_INVALID */
  missing(what: readonly string[]): never {
    throw usageFault(this.#shown(`${inWords(what)} ${what.length === 1 ? "is" : "are"} missing`));
  }

  override error(message: string, { code = "" }: ErrorOptions = {}): never {
    const text = usageText(message, this.path);
    throw usageFault(code.startsWith("commander.missing") ? this.#shown(text) : text);
  }

  #shown(text: string): string {
    return this.#example === undefined ? text : `${text}; as in: ${this.#example}`;
  }
}

/** A name that is only written otherwise works, and is not shown. */
class OurHelp extends Help {
  override subcommandTerm(command: Commander): string {
    return writtenOnce(command, super.subcommandTerm(command));
  }

  override commandUsage(command: Commander): string {
    return writtenOnce(command, super.commandUsage(command));
  }
}

function writtenOnce(command: Commander, text: string): string {
  const alias = command.alias() ?? "";
  return wordOf(alias) === command.name() ? text.replace(`|${alias}`, "") : text;
}

function inWords(list: readonly string[]): string {
  return list.length < 2 ? list.join("") : `${list.slice(0, -1).join(", ")} and ${list.at(-1)}`;
}
