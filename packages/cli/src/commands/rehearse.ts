// `capstan rehearse`: what would have been decided under another configuration or another grant. The history comes from the
// server in force, or from a log's file; it is decided again in this process, and nothing of it is carried out.

import type { AnyPlugin, History } from "@capstan/orchestrator";
import { printable } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { exitCodes } from "../fault/exit-codes.ts";
import { usageFault } from "../fault/thrown.ts";
import { instantOf } from "../input/duration.ts";
import { namedFile } from "../input/named-file.ts";
import { clauseWarnings } from "../messages/clause-warnings.ts";
import { type Progress, progressOn } from "../output/progress.ts";
import { rehearsalText } from "../output/rehearsal-text.ts";

const LAST = 10_000;
const repeated = (text: string, before: string[] = []): string[] => [...before, text];

interface Flags {
  readonly grant?: string;
  readonly allow?: readonly string[];
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  readonly expires?: string;
  readonly revoke?: boolean;
  readonly last?: string;
  readonly file?: string;
  readonly all?: boolean;
}

export function rehearseCommand(program: Command, cli: Cli): void {
  program
    .command("rehearse")
    .description("Decide recorded messages again under a change, and tell what differs. Nothing is carried out.")
    .option("--grant <id>", "a grant that is changed, for all of the messages")
    .option("--allow <clause>", "its clauses; may be given more than once", repeated)
    .option("--read <namespace>", "namespaces that it may read; may be given more than once", repeated)
    .option("--write <namespace>", "namespaces that it may write; may be given more than once", repeated)
    .option("--expires <when>", "its end: 7d, 2h, or 2026-12-01T00:00Z")
    .option("--revoke", "as if it had been revoked from the start")
    .option("--last <n>", `how many of the newest messages (default: ${LAST.toLocaleString("en-US")})`)
    .option("--file <log>", "the log of a node that is stopped, instead of a server's")
    .option("--all", "show every difference")
    .action((flags: Flags) => run(cli, flags))
    .addHelpText(
      "after",
      `
A configuration (--config FILE) is loaded as serve loads it: its code is run, and is fully trusted. Of its plugins only decide
is called. Ends with 0 where every message would have been decided as it was, with 1 where one differs or cannot be decided.
`,
    )
    .examples(
      "capstan rehearse --config capstan.next.ts",
      "capstan rehearse --grant g-2 --allow action.perform:greet --last 1000",
      "capstan rehearse --grant g-2 --revoke --file .capstan/log.db",
    );
}

async function run(cli: Cli, flags: Flags): Promise<void> {
  const { rehearse } = await import("@capstan/orchestrator");
  const last = countOf(flags.last);
  const plugins = await pluginsOf(cli, flags);
  const change = await grantChange(flags, plugins, cli);
  const { history, close } = await historyOf(cli, flags.file);
  const progress = progressOn(cli, "rehearsing");
  try {
    const report = await rehearse({
      log: watched(history, progress),
      plugins,
      changes: change === undefined ? [] : [change.override],
      last,
    });
    progress.end();
    if (change?.met() === false) {
      cli.printer.warn(
        `no message that was looked at asked for ${printable(flags.grant ?? "")}, or a grant made under it`,
      );
    }
    cli.printer.data(report, () => rehearsalText(report, flags.all === true));
    if (report.differ + report.undecidable > 0 || !report.state.same) cli.exitCode = exitCodes.failed;
  } finally {
    progress.end();
    close();
  }
}

/** It is read from its beginning to its end, first to see what there is and then to decide again. */
function watched(history: History, { show }: Progress): History {
  return {
    first: history.first,
    head: history.head,
    rows: (table, range) => history.rows(table, range),
    blob: (name) => history.blob(name),
    read(from, range) {
      show(from - history.first, history.head - history.first + 1);
      return history.read(from, range);
    },
  };
}

/** Those of the configuration, else the standard ones. */
async function pluginsOf(cli: Cli, flags: Flags): Promise<readonly AnyPlugin[]> {
  if (flags.grant === undefined && (await cli.settings.get("config")).source === "default") {
    throw usageFault("rehearse: say what is to change: --config FILE, --grant ID, or both");
  }
  const own = (await cli.settings.file())?.config.plugins;
  if (own !== undefined) return own as readonly AnyPlugin[];
  const { standard } = await import("@capstan/plugins");
  return standard() as readonly AnyPlugin[];
}

async function grantChange(
  { grant, allow, read, write, expires, revoke }: Flags,
  plugins: readonly AnyPlugin[],
  cli: Cli,
) {
  const said = { allow, read, write, expires, revoke };
  const changes = Object.entries(said).filter(([, value]) => value !== undefined);
  if (grant === undefined) {
    if (changes.length > 0) throw usageFault(`rehearse: --${changes[0]?.[0]} is of a grant; name it: --grant ID`);
    return undefined;
  }
  if (changes.length === 0) {
    throw usageFault(
      `rehearse --grant ${printable(grant)}: say what is to change: --allow, --read, --write, --expires or --revoke`,
    );
  }
  const { rehearsedGrant } = await import("@capstan/plugins");
  const until = expires === undefined ? undefined : instantOf(expires, "--expires", Date.now());
  const override = rehearsedGrant(grant, { ...said, expires: until });
  const names = plugins.flatMap(({ messages = {} }) =>
    Object.entries(messages).flatMap(([resource, verbs]) => Object.keys(verbs).map((verb) => `${resource}.${verb}`)),
  );
  for (const warning of clauseWarnings(allow, names)) cli.printer.warn(warning);
  let met = false;
  const becomes: typeof override.becomes = (row, key, recorded) => {
    const changed = override.becomes(row, key, recorded);
    met ||= changed !== row;
    return changed;
  };
  return { override: { ...override, becomes }, met: () => met };
}

function countOf(text: string | undefined): number {
  if (text === undefined) return LAST;
  const count = Number(text);
  if (/^\d{1,15}$/.test(text) && count > 0) return count;
  throw usageFault(`--last "${printable(text)}" is no number of messages; write one of 1 or more`);
}

async function historyOf(cli: Cli, file: string | undefined): Promise<{ history: History; close(): void }> {
  if (file === undefined) {
    const progress = progressOn(cli, "fetching");
    const { exportHistory } = await import("../remote/exported-history.ts");
    try {
      return { history: await exportHistory(await cli.target(), progress.show), close() {} };
    } finally {
      progress.end();
    }
  }
  const path = namedFile(cli.io, file);
  const { fileHistory } = await import("@capstan/orchestrator");
  const history = fileHistory(path);
  return { history, close: () => history.close() };
}
