// `capstan context`: servers that one asks often, by name. They are kept in the user's own configuration directory; a credential
// stays in its file, whose path is all that is kept of it.

import { FaultError, fault, printable } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { usageFault } from "../fault/thrown.ts";
import { namedFile } from "../input/named-file.ts";
import { columns } from "../output/columns.ts";
import { shown } from "../output/shown.ts";
import { changeContexts, contextNamed, NO_CONTEXT, readContexts } from "../settings/context-file.ts";
import type { Context } from "../settings/context-schema.ts";
import type { SettingName } from "../settings/setting.ts";
import { urlOf } from "../settings/target.ts";
import { trustSaid } from "../settings/trust.ts";

export function contextCommand(program: Command, cli: Cli): void {
  const context = program
    .command("context")
    .description("Name servers that you ask often, and choose among them.")
    .helpCommand("help [verb]", "print help of a verb")
    .addHelpText("after", NOTES)
    .examples(...EXAMPLES);
  context
    .command("add")
    .description("Name a server: --url URL [--token-file FILE] [--ca FILE | --server-pin PIN].")
    .argument("<name>", "letters, digits, dots, dashes and underscores")
    .option("--use", "and ask it from now on where nothing else is said")
    .option("--replace", "put it in the place of one of that name")
    .action((name: string, flags: AddFlags, command: Command) => add(cli, name, flags, command))
    .examples(...EXAMPLES);
  context
    .command("use")
    .description("Ask a context's server from now on where nothing else is said; none for none.")
    .argument("<name>")
    .examples("capstan context use berlin", "capstan context use none")
    .action((name: string) => use(cli, name));
  context
    .command("list")
    .description("List the contexts; * is before the one in use.")
    .action(() => list(cli));
  context
    .command("show")
    .description("Show a context.")
    .argument("[name]", "default: the one in force here")
    .action((name: string | undefined) => show(cli, name));
  context
    .command("remove")
    .description("Forget a context. Its files stay.")
    .argument("<name>")
    .examples("capstan context remove berlin")
    .action((name: string) => remove(cli, name));
}

const EXAMPLES = [
  "capstan context add berlin --url https://berlin.example --token-file berlin.token --use",
  "capstan --context berlin action list",
];
const NOTES = `
A context is whole: whoever names a server otherwise, with --url or CAPSTAN_URL, gets nothing of it, its credential least of all; and
--data or CAPSTAN_DATA mean the server of that directory. --context wins over all variables.
`;

interface AddFlags {
  readonly use?: boolean;
  readonly replace?: boolean;
}

async function add(cli: Cli, name: string, flags: AddFlags, command: Command): Promise<void> {
  const { nameSchema } = await import("../settings/context-schema.ts");
  if (name === NO_CONTEXT || !nameSchema.safeParse(name).success)
    throw usageFault(`"${printable(name)}" is no name of a context; write one like berlin`);
  // What is said of the context itself, and not of whom this command would ask.
  const flag = (setting: SettingName) => cli.settings.flag(setting);
  const url = flag("url");
  if (url === undefined) return command.missing(["--url <url>"]);
  if (flag("token") !== undefined)
    throw usageFault("context add: a context keeps no credential, only its file's path; pass --token-file");
  const tokenFile = flag("tokenFile");
  const ca = flag("ca");
  if (tokenFile !== undefined) namedFile(cli.io, tokenFile);
  const serverPin = flag("serverPin");
  trustSaid(ca, serverPin);
  const context: Context = {
    url: urlOf(url),
    ...(tokenFile === undefined ? {} : { tokenFile }),
    ...(ca === undefined ? {} : { ca }),
    ...(serverPin === undefined ? {} : { serverPin }),
  };
  await changeContexts(cli.io, (before) => {
    if (Object.hasOwn(before.contexts, name) && !flags.replace)
      throw new FaultError(fault("CONTEXT_EXISTS", `there is a context "${name}"; --replace puts this in its place`));
    const contexts = { ...before.contexts, [name]: context };
    return { ...before, ...(flags.use ? { current: name } : {}), contexts };
  });
  cli.printer.data({ name, ...context }, () => `context ${name}  ${context.url}\n`);
  if (!flags.use) cli.printer.note(`  ask in it: capstan --context ${name} …, or capstan context use ${name}`);
}

async function use(cli: Cli, name: string): Promise<void> {
  await changeContexts(cli.io, (before) => {
    const { current: _, ...rest } = before;
    if (name === NO_CONTEXT) return rest;
    contextNamed(before, name);
    return { ...rest, current: name };
  });
  cli.printer.data({ current: name === NO_CONTEXT ? null : name }, () =>
    name === NO_CONTEXT ? "no context is in use\n" : `context ${shown(name)} is in use\n`,
  );
}

async function list(cli: Cli): Promise<void> {
  const { current, contexts } = await readContexts(cli.io);
  const items = Object.entries(contexts).map(([name, context]) => ({ name, ...context }));
  cli.printer.data({ current: current ?? null, items }, () =>
    columns(items.map(({ name, url, tokenFile }) => [name === current ? "*" : "", name, url, tokenFile])),
  );
}

async function show(cli: Cli, name: string | undefined): Promise<void> {
  const found =
    name === undefined
      ? await cli.settings.context()
      : { name, ...contextNamed(await readContexts(cli.io), name), byFlag: false };
  if (found === undefined) {
    cli.printer.data(null, () => "no context is in force\n");
    return;
  }
  const { byFlag: _, ...told } = found;
  cli.printer.data(told, () => columns(Object.entries(told)));
}

async function remove(cli: Cli, name: string): Promise<void> {
  await changeContexts(cli.io, (before) => {
    contextNamed(before, name);
    const { [name]: _, ...contexts } = before.contexts;
    const { current, ...rest } = before;
    return { ...rest, ...(current === undefined || current === name ? {} : { current }), contexts };
  });
  cli.printer.data({ name }, () => `removed context ${shown(name)}\n`);
}
