// A command of ours: commander's, which keeps its examples. Its help lists them, and whoever left something out is shown the first.

import {
  type AddHelpTextContext,
  type AddHelpTextPosition,
  Command as Commander,
  type ErrorOptions,
  Help,
} from "commander";
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

  /** Prose is wrapped as the rest of the help is. What has indented lines is shown as it was written. */
  override addHelpText(position: AddHelpTextPosition, text: string | ((context: AddHelpTextContext) => string)): this {
    return super.addHelpText(position, typeof text === "string" ? wrapped(text) : (text as never));
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
  /** Beside the longest of our options there is less in a narrow terminal. */
  override minWidthToWrap = 24;

  /** That it takes options goes without saying: what is told of it has the room. */
  override subcommandTerm(command: Commander): string {
    return writtenOnce(command, super.subcommandTerm(command).replace(" [options]", ""));
  }

  override commandUsage(command: Commander): string {
    return writtenOnce(command, super.commandUsage(command));
  }

  override formatHelp(command: Commander, helper: Help): string {
    const help = super.formatHelp(command, helper);
    return command.parent === null ? help : `${help}\nOptions of every command, --json among them: capstan --help\n`;
  }
}

/** Of the help where nobody knows the terminal's (commander's own). */
const WIDTH = 80;

function wrapped(text: string): string {
  const paragraphs = text.trim().split("\n\n");
  const inLines = (prose: string): string => new Help().boxWrap(prose.replaceAll("\n", " "), WIDTH);
  return `\n${paragraphs.map((one) => (/^ /m.test(one) ? one : inLines(one))).join("\n\n")}`;
}

function writtenOnce(command: Commander, text: string): string {
  const alias = command.alias() ?? "";
  return wordOf(alias) === command.name() ? text.replace(`|${alias}`, "") : text;
}

function inWords(list: readonly string[]): string {
  return list.length < 2 ? list.join("") : `${list.slice(0, -1).join(", ")} and ${list.at(-1)}`;
}
