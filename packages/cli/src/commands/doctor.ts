// `capstan doctor`: looks at all that a node stands on, and says of each thing how it is and what to do. It changes nothing.

import { statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_LISTEN } from "@capstan/orchestrator";
import type { Command } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import type { Cli } from "../cli.ts";
import { clockFindings } from "../doctor/clock-findings.ts";
import { configFindings } from "../doctor/config-findings.ts";
import { diskFindings } from "../doctor/disk-findings.ts";
import { fileFindings } from "../doctor/file-findings.ts";
import { type Finding, Findings } from "../doctor/finding.ts";
import { keyFindings } from "../doctor/key-findings.ts";
import { leftoverFindings } from "../doctor/leftover-findings.ts";
import { askedLog, storedLog } from "../doctor/log-findings.ts";
import { type Health, ownServer, portFindings, serverFindings } from "../doctor/server-findings.ts";
import { exitCodes } from "../fault/exit-codes.ts";
import { thrownFault } from "../fault/thrown.ts";
import { columns } from "../output/columns.ts";
import { findTarget, shownPath, type Target } from "../settings/target.ts";

export function doctorCommand(program: Command, cli: Cli): void {
  program
    .command("doctor")
    .description("Look at everything that the node stands on, and say what to do.")
    .option("--deep", "verify the whole log, entry by entry")
    .action(({ deep = false }: { readonly deep?: boolean }) => doctor(cli, deep))
    .addHelpText(
      "after",
      `
Ends with 0 where nothing fails. It changes nothing; what it finds damaged, capstan log verify tells more of.

examples:
  $ capstan doctor
  $ capstan doctor --data /var/lib/capstan --deep --json
`,
    );
}

async function doctor(cli: Cli, deep: boolean): Promise<void> {
  const findings = await examined(cli, deep);
  const failed = findings.some(({ state }) => state === "fail");
  cli.printer.data({ ok: !failed, findings }, () =>
    columns(
      findings.map(({ state, about, what, todo }) => [
        state.padEnd(4),
        about,
        todo === undefined ? what : `${what}; ${todo}`,
      ]),
    ),
  );
  if (failed) cli.exitCode = exitCodes.failed;
}

async function examined(cli: Cli, deep: boolean): Promise<readonly Finding[]> {
  const { settings, io } = cli;
  const config = await configFindings(settings, io.cwd);
  // Nothing else can be found without the settings.
  if (config.some(({ state }) => state === "fail")) return config;
  const data = (await settings.text("data")) as string;
  const listen = (await settings.text("listen")) ?? DEFAULT_LISTEN;
  const shown = shownPath(data, io.cwd);
  const files = fileFindings(data, shown);
  const health = await ownServer(data);
  const log = health === undefined ? await storedLog(data, shown, deep) : await askedLog(() => ownTarget(cli), deep);
  const times = { now: Date.now(), lastAt: log.lastAt, checkpointAt: log.checkpointAt, serverAt: health?.at };
  return [
    ...config,
    ...files,
    ...diskOf(data),
    ...clockFindings(times),
    ...log.findings,
    ...(await keyFindings(data, shown, log.keys)),
    ...(await portOf(listen, health)),
    ...serverFindings(health, health?.url ?? listen, packageJson.version),
    ...leftoverFindings(data, shown),
  ];
}

/** The node of the data directory, whatever context is in use. */
function ownTarget({ settings, io }: Cli): Promise<Target> {
  return findTarget(settings.withoutContext(), io.cwd);
}

function diskOf(data: string): readonly Finding[] {
  const bytes = ["log.db", "log.db-wal"].map(
    (name) => statSync(join(data, name), { throwIfNoEntry: false })?.size ?? 0,
  );
  try {
    return diskFindings(
      statfsSync(data),
      bytes.reduce((sum, one) => sum + one),
    );
  } catch {
    return []; // the directory is not there, and that is said
  }
}

async function portOf(listen: string, health: Health | undefined): Promise<readonly Finding[]> {
  try {
    return await portFindings(listen, health?.url);
  } catch (thrown) {
    const { message } = thrownFault(thrown);
    return new Findings("port").fail(message, "choose another with --listen").list;
  }
}
