// How a message is shown where it reads better with words of its own than as flags in and JSON out.

import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";

export interface Presentation {
  /** No command: it is nothing that a person says, or not here. */
  readonly unlisted?: true;
  /** The field that a bare word is for; default: the first required text. */
  readonly subject?: string;
  /** What has to be said, by field: the words and options of which one says it. Other fields that the schema requires say themselves. */
  readonly saidBy?: Readonly<Record<string, readonly string[]>>;
  /** Fields that are no flags, because an option of `configure` says them better. */
  readonly hidden?: readonly string[];
  /** What a field's flag says of itself, where its schema says nothing: with units and defaults. */
  readonly texts?: Readonly<Record<string, string>>;
  readonly examples?: readonly string[];
  /** Words that are no data, where an option says what they are: a command line after `--`. */
  words?(words: readonly string[], flags: PresentedCall["flags"]): SplitWords;
  /** Adds options of its own. */
  configure?(command: Command): void;
  /** Turns options of its own into data; asks and prints, where asking once is not all. */
  run?(cli: Cli, call: PresentedCall): Promise<void>;
  /** The answer for people; default: JSON. */
  text?(answer: unknown, call: PresentedCall): string | Promise<string>;
}

export interface SplitWords {
  /** The subject and JSON. */
  readonly words: readonly string[];
  /** Handed on in the call. */
  readonly rest: readonly string[];
}

export interface PresentedCall {
  /** `action.register` */
  readonly name: string;
  readonly data: Record<string, unknown>;
  /** Options as commander gives them. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** What `words` split off. */
  readonly rest: readonly string[];
  /** For the call: key, wait. */
  readonly options: object | undefined;
}
