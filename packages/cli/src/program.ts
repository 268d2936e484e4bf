// The command line's grammar: the hand-written commands, and those that come out of message tables. A word that is unknown
// here is looked up in what the running server lists, so that a plugin's messages are commands by themselves.

import { Command, Option } from "commander";
import packageJson from "../package.json" with { type: "json" };
import type { Cli } from "./cli.ts";
import { adminCommand } from "./commands/admin-recover.ts";
import { applyCommand } from "./commands/apply.ts";
import { backupCommand } from "./commands/backup.ts";
import { batchCommand } from "./commands/batch.ts";
import { completionCommand } from "./commands/completion.ts";
import { configCommand } from "./commands/config-show.ts";
import { contextCommand } from "./commands/context.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { exitCodesCommand } from "./commands/exit-codes.ts";
import { explainCommand } from "./commands/explain.ts";
import { healthCommand } from "./commands/health.ts";
import { keyCommand } from "./commands/key-rotate.ts";
import { logCommand } from "./commands/log-file.ts";
import { messagesCommand } from "./commands/messages.ts";
import { performCommand } from "./commands/perform.ts";
import { pluginCommand } from "./commands/plugin-new.ts";
import { protocolCommand } from "./commands/protocol-new.ts";
import { receiptCommand } from "./commands/receipt-verify.ts";
import { rehearseCommand } from "./commands/rehearse.ts";
import { restoreCommand } from "./commands/restore.ts";
import { serveCommand } from "./commands/serve.ts";
import { tailCommand } from "./commands/tail.ts";
import { topCommand } from "./commands/top.ts";
import { exitCodeOf, exitCodes } from "./fault/exit-codes.ts";
import { thrownFault } from "./fault/thrown.ts";
import { type DescribedMessage, standardMessages } from "./messages/described.ts";
import { addMessageCommands } from "./messages/message-command.ts";
import { shownLines } from "./output/shown.ts";
import { ask } from "./remote/ask.ts";

const HAND_WRITTEN = [
  ...[serveCommand, performCommand, applyCommand, batchCommand, explainCommand, messagesCommand, logCommand],
  ...[tailCommand, topCommand, contextCommand, backupCommand, restoreCommand, keyCommand, adminCommand],
  ...[doctorCommand, healthCommand, rehearseCommand, receiptCommand, configCommand, completionCommand],
  ...[pluginCommand, protocolCommand, exitCodesCommand],
];

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
Flags win over CAPSTAN_* variables (.env included), which win over a context, and that over capstan.config.ts; see capstan config
show.
`;

/** The program for this command line. */
export async function programFor(cli: Cli, argv: readonly string[]): Promise<Command> {
  const program = withGlobals(new Command("capstan"));
  program
    .description("Ask a Capstan orchestrator, or run one.")
    .version(packageJson.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help of a command; help exit-codes tells the exit codes")
    .exitOverride()
    // A server's own words are in it, where its plugins' messages are.
    .configureOutput({
      writeOut: (text) => cli.io.stdout(shownLines(text)),
      writeErr: (text) => cli.io.stderr(shownLines(text)),
      outputError: () => {},
    })
    .addHelpText("after", EXAMPLES)
    .hook("preAction", () => cli.configure(program.opts()));
  for (const add of HAND_WRITTEN) add(program, cli);

  const { operands } = withGlobals(new Command()).parseOptions([...argv]);
  const [first, second] = operands[0] === "help" ? operands.slice(1) : operands;
  if (first !== undefined && first !== "completion" && isHandWritten(program, first, second)) return program;
  addMessageCommands(program, cli, await standardMessages());
  if (first !== undefined && first !== "completion" && !knows(program, first, second)) {
    cli.configure(withGlobalsRead(argv));
    addMessageCommands(program, cli, await serversMessages(cli));
  }
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
  const command = program.commands.find((one) => one.name() === first);
  if (command === undefined || command.commands.length === 0 || second === undefined) return command !== undefined;
  return command.commands.some((one) => one.name() === second || one.aliases().includes(second));
}

/** Whether nothing has to be added for the words. What is written by hand for the log, and for protocols, stands beside their messages. */
function isHandWritten(program: Command, first: string, second: string | undefined): boolean {
  return first === "log" || first === "protocol"
    ? second !== undefined && knows(program, first, second)
    : knows(program, first);
}

/** What the server lists; nothing where none can be asked: then the word is unknown, and that is what is said. */
async function serversMessages(cli: Cli): Promise<readonly DescribedMessage[]> {
  try {
    const listed = (await ask(await cli.target(), "message.list")) as readonly DescribedMessage[];
    return listed.filter(({ name }) => /^[A-Za-z]\w*\.[A-Za-z]\w*$/.test(name));
  } catch (thrown) {
    if (exitCodeOf(thrownFault(thrown).code) === exitCodes.refused) {
      cli.printer.note(
        "  the server does not tell this credential its messages; capstan apply RESOURCE VERB sends any",
      );
    }
    return [];
  }
}
