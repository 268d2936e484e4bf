// Commands out of a message table: `capstan <resource> <verb> [SUBJECT] [JSON] [--field value …]`. A plugin's messages get
// theirs by being listed.

import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { performCommand } from "../commands/perform.ts";
import { shown } from "../output/shown.ts";
import { ask } from "../remote/ask.ts";
import { wordOf } from "../word-of.ts";
import { addCallOptions, callOptions } from "./call-options.ts";
import { type DescribedMessage, resourceOf, verbOf } from "./described.ts";
import { dataOf, type Field, fieldsOf, flagOf, optionOf } from "./fields.ts";
import type { Presentation, PresentedCall } from "./presentation.ts";
import { presentationsOf } from "./presentations.ts";
import { formOf, missingOf, requiredOf } from "./required.ts";

const NONE: Presentation = {};

/** Adds a command a message, under a command a resource; what is there already stays. */
export async function addMessageCommands(
  program: Command,
  cli: Cli,
  messages: readonly DescribedMessage[],
): Promise<void> {
  const presentations = await presentationsOf(messages.map(resourceOf));
  const listed = messages.filter(({ name }) => presentations[name]?.unlisted !== true);
  for (const message of listed) {
    const resource = resourceOf(message);
    const word = wordOf(resource);
    let parent = program.commands.find((command) => command.name() === word);
    if (parent === undefined) {
      const verbs = listed.filter((one) => resourceOf(one) === resource).map((one) => wordOf(verbOf(one)));
      parent = program.command(word).description(verbs.join(", ")).helpCommand("help [verb]", "print help of a verb");
      if (word !== resource) parent.alias(resource);
    }
    const verb = wordOf(verbOf(message));
    if (parent.commands.some((command) => command.name() === verb)) continue;
    if (message.name === "action.perform") performCommand(parent, cli);
    else messageCommand(parent, cli, message, presentations[message.name] ?? NONE);
  }
}

function messageCommand(parent: Command, cli: Cli, message: DescribedMessage, presentation: Presentation): void {
  const { name, kind } = message;
  const globals = parent.parent?.options.map(({ long }) => long) ?? [];
  const all = fieldsOf(message.data).map((field) => ({
    ...field,
    summary: shown(field.summary) || (presentation.texts?.[field.name] ?? ""),
  }));
  // A field that is called like a flag of the program's own is said in JSON.
  const flagged = all.filter(
    (field) => !globals.includes(flagOf(field.name)) && !presentation.hidden?.includes(field.name),
  );
  const subject = presentation.subject ?? all.find((field) => field.required && field.kind === "text")?.name;
  const verb = verbOf(message);
  const command = parent.command(wordOf(verb)).description(shown(String(message.summary)));
  if (verb !== command.name()) command.alias(verb);
  if (subject !== undefined) command.argument(`[${subject}]`, all.find(({ name }) => name === subject)?.summary || "");
  // Either may come first; which is which is told by how it begins (fields.ts).
  command.argument("[json]", "the data as JSON, @file, or - for standard input").allowExcessArguments();
  for (const field of flagged) if (field.name !== subject) command.addOption(optionOf(field));
  presentation.configure?.(command);
  if (kind === "command")
    addCallOptions(
      command,
      flagged.map((field) => field.name),
    );
  const required = requiredOf(command, all, { ...presentation, subject });
  const { examples = required.length === 0 ? [] : [formOf(command, required)] } = presentation;
  if (examples.length > 0) command.examples(...examples);

  command.action(async () => {
    const flags = command.opts();
    const { words, rest } = presentation.words?.(command.args, flags) ?? { words: command.args, rest: [] };
    const fields: Field[] = flagged.filter((field) => field.name !== subject);
    const data = await dataOf(cli.io, { name, fields, subject }, words, flags);
    const missing = missingOf(required, { ...flags, ...data });
    if (missing.length > 0) command.missing(missing);
    const options = kind === "command" ? callOptions(flags) : undefined;
    const call: PresentedCall = { name, data, flags, rest, options };
    if (presentation.run !== undefined) return presentation.run(cli, call);
    const answer = await ask(await cli.target(), name, data, call.options);
    const make = async () => presentation.text?.(answer, call);
    const text = await cli.printer.presented(make);
    cli.printer.data(answer, text === undefined ? undefined : () => text);
    const next = (answer as { next?: unknown } | null)?.next;
    const cursor = flagged.find((field) => field.name === "after" || field.name === "before");
    if (next !== undefined && cursor !== undefined)
      cli.printer.note(`  more: ${flagOf(cursor.name)} ${shown(String(next))}`);
  });
}
