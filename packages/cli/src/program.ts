// The command line's grammar: the hand-written commands, and those that come out of message tables. A word that is unknown
// here is looked up in what the running server lists, so that a plugin's messages are commands by themselves. What is loaded is what
// the words ask for.

import { FaultError } from "@capstan/orchestrator/remote";
import { Option } from "commander";
import packageJson from "../package.json" with { type: "json" };
import type { Cli } from "./cli.ts";
import { Command } from "./command.ts";
import { addAllHandWritten, addHandWritten } from "./commands/hand-written.ts";
import { groupCommands, HERE } from "./commands/help-groups.ts";
import { exitCodeOf, exitCodes } from "./fault/exit-codes.ts";
import { thrownFault, usageFault } from "./fault/thrown.ts";
import type { DescribedMessage } from "./messages/described.ts";
import { shownLines } from "./output/shown.ts";
import { wordOf } from "./word-of.ts";

const EXAMPLES = `
examples:
  $ capstan serve
  $ capstan action register greet --module ./greet.ts
  $ capstan perform greet '{"name":"Ada"}'
  $ capstan grant create bob --allow action.perform:greet --out bob.token
  $ capstan --token-file bob.token perform greet '{"name":"Ada"}'
  $ capstan action register tally --script ./tally.js
  $ capstan receiver register mail --module ./mail.ts
  $ capstan subscription create action.greet --receiver mail --from start
  $ capstan tail action.greet
  $ capstan log tail
  $ capstan peer invite osaka --export action:greet --out osaka.invite

A message of a plugin is a command as well: capstan RESOURCE VERB; capstan messages lists all.

Flags win over CAPSTAN_* variables (.env included), which win over a context, and that over capstan.config.ts; see
capstan config show.
`;

/** The words that ask for help in one way: `help action register` is `action register --help`, and no words at all ask for all of it. */
export function withHelpAsked(program: Command, argv: readonly string[], json: boolean): readonly string[] {
  const { operands } = withGlobals(new Command()).parseOptions([...argv]);
  const [first, second] = operands;
  const isGroup = program.commands.some((one) => one.isCalled(first ?? "") && one.commands.length > 0);
  if (first === "help" || (isGroup && second === "help"))
    return [...operands.filter((word) => word !== "help"), "--help"];
  // A program that left its words out has made a mistake.
  return argv.length === 0 && !json ? ["--help"] : argv;
}

/** The program for this command line. @throws FaultError USAGE_INVALID where its words lead to no command, as in `help nope` */
export async function programFor(cli: Cli, argv: readonly string[]): Promise<Command> {
  const program = withGlobals(new Command("capstan"));
  program
    .description("Ask a Capstan orchestrator, or run one.")
    .version(packageJson.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .commandsGroup(HERE)
    .helpCommand("help [command]", "print help of a command; help exit-codes tells the exit codes")
    .exitOverride()
    // A server's own words are in it, where its plugins' messages are.
    .configureOutput({
      getOutHelpWidth: () => (cli.io.terminal.stdout ? cli.io.terminal.columns?.() : undefined) as number,
      getErrHelpWidth: () => (cli.io.terminal.stderr ? cli.io.terminal.columns?.() : undefined) as number,
      writeOut: (text) => cli.io.stdout(shownLines(text)),
      writeErr: (text) => cli.printer.json || cli.io.stderr(shownLines(text)),
      outputError: () => {},
    })
    .addHelpText("after", EXAMPLES)
    .hook("preAction", () => cli.configure(program.opts()));

  const { operands, unknown } = withGlobals(new Command()).parseOptions([...argv]);
  const [first, second] = operands.filter((word) => word !== "help");
  if (first === undefined && unknown.some((word) => word === "--version" || word === "-V")) return program;
  if (first === undefined || first === "completion") return withAll(program, cli);
  const { unasked } = await addAsked(program, cli, argv, [first, second]);
  // Asked for alone, what is unknown is told; its help would be that of what is around it.
  if (!knows(program, first, second)) {
    try {
      await program.parseAsync(second === undefined ? [first] : [first, second], { from: "user" });
    } catch (thrown) {
      throw unasked && thrown instanceof FaultError ? ofNoNode(thrown) : thrown;
    }
  }
  return program;
}

/** Where no word is near it may be one that a plugin brings. */
function ofNoNode(unknown: FaultError): FaultError {
  const isFar = unknown.message.endsWith("see capstan --help");
  return isFar ? usageFault(`${unknown.message}; where a plugin brings it, its node has to run`) : unknown;
}

async function addAsked(
  program: Command,
  cli: Cli,
  argv: readonly string[],
  words: readonly [string, string | undefined],
): Promise<{ readonly unasked?: true }> {
  const [first] = words;
  await addHandWritten(program, cli, first);
  if (isHandWritten(program, ...words)) return {};
  const { addMessageCommands } = await import("./messages/message-command.ts");
  const { resourceOf, standardMessages } = await import("./messages/described.ts");
  const standard = await standardMessages();
  const asked = standard.filter((message) => wordOf(resourceOf(message)) === wordOf(first));
  await addMessageCommands(program, cli, asked);
  if (knows(program, ...words)) return {};
  // Which word was meant is told among all of them.
  if (!knows(program, first)) await withAll(program, cli);
  cli.configure(withGlobalsRead(argv));
  const listed = await serversMessages(cli);
  await addMessageCommands(program, cli, listed ?? []);
  return listed === undefined ? { unasked: true } : {};
}

async function withAll(program: Command, cli: Cli): Promise<Command> {
  const { addMessageCommands } = await import("./messages/message-command.ts");
  const { standardMessages } = await import("./messages/described.ts");
  await addAllHandWritten(program, cli);
  await addMessageCommands(program, cli, await standardMessages());
  groupCommands(program);
  return program;
}

function withGlobals(program: Command): Command {
  return program
    .addOption(new Option("--json", "data on stdout and faults on stderr as JSON (CAPSTAN_JSON)"))
    .addOption(new Option("--url <url>", "the server to ask (CAPSTAN_URL)"))
    .addOption(new Option("--token <token>", "the credential to ask with; a file is safer (CAPSTAN_TOKEN)"))
    .addOption(new Option("--token-file <file>", "the file that the credential is in (CAPSTAN_TOKEN_FILE)"))
    .addOption(new Option("--context <name>", "the context to ask in; none for none (CAPSTAN_CONTEXT)"))
    .addOption(new Option("--ca <file>", "the certificate that a server's must come of, PEM (CAPSTAN_CA)"))
    .addOption(new Option("--server-pin <pin>", "the pin of the one certificate that it may show (CAPSTAN_SERVER_PIN)"))
    .addOption(new Option("--data <directory>", "the data directory (CAPSTAN_DATA)"))
    .addOption(new Option("--config <file>", "the configuration file (CAPSTAN_CONFIG)"));
}

function withGlobalsRead(argv: readonly string[]): Record<string, unknown> {
  const globals = withGlobals(new Command());
  globals.parseOptions([...argv]);
  return globals.opts();
}

/** Whether the words lead to a command; a command that takes no further ones takes any. */
function knows(program: Command, first: string, second?: string): boolean {
  const command = program.commands.find((one) => one.isCalled(first));
  if (command === undefined || command.commands.length === 0 || second === undefined) return command !== undefined;
  return command.commands.some((one) => one.isCalled(second));
}

/** Whether nothing has to be added for the words. What is written by hand for the log, and for protocols, stands beside their messages. */
function isHandWritten(program: Command, first: string, second?: string): boolean {
  return first === "log" || first === "protocol"
    ? second !== undefined && knows(program, first, second)
    : knows(program, first);
}

/** What the server lists; nothing where it does not tell, and `undefined` where none answers: then the word is unknown, and that is what is said. */
async function serversMessages(cli: Cli): Promise<readonly DescribedMessage[] | undefined> {
  const { ask } = await import("./remote/ask.ts");
  try {
    const listed = (await ask(await cli.target(), "message.list")) as readonly DescribedMessage[];
    return listed.filter(({ name }) => /^[A-Za-z]\w*\.[A-Za-z]\w*$/.test(name));
  } catch (thrown) {
    const exit = exitCodeOf(thrownFault(thrown).code);
    if (exit === exitCodes.unavailable) return undefined;
    if (exit === exitCodes.refused) {
      cli.printer.note(
        "  the server does not tell this credential its messages; capstan apply RESOURCE VERB sends any",
      );
    }
    return [];
  }
}
