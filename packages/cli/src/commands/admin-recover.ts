// `capstan admin recover`: another credential for the administrator, for whoever can read and write the node's files. Nothing
// else is asked for, and nothing crosses a wire.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { FaultError, fault } from "@capstan/orchestrator/remote";
import type { Recovered } from "@capstan/plugins";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { ownServer } from "../doctor/server-findings.ts";
import { shown } from "../output/shown.ts";
import { standardPlugins } from "../settings/standard-plugins.ts";
import { shownPath } from "../settings/target.ts";

export function adminCommand(program: Command, cli: Cli): void {
  const admin = program
    .command("admin")
    .description("Get the administrator's credential anew.")
    .helpCommand("help [verb]", "print help of a verb");
  admin
    .command("recover")
    .description("Make another admin.token; the one before is good for nothing any more.")
    .action(() => recover(cli))
    .addHelpText(
      "after",
      `
It takes the node's own files, node.key among them, and no credential: a running node finds the request in its data directory,
the log of a stopped one is opened here. The log says that it was done, and under which grant.
`,
    )
    .examples("capstan admin recover", "capstan admin recover --data /var/lib/capstan");
}

async function recover(cli: Cli): Promise<void> {
  const { settings, io, printer } = cli;
  const directory = (await settings.text("data")) as string;
  const { principal, grant, file } = await recoverIn(cli, directory);
  const path = shownPath(file, io.cwd);
  printer.data({ principal, grant, file: path }, () => `${shown(principal)}, grant ${shown(grant)} → ${path} (0600)\n`);
}

async function recoverIn(cli: Cli, directory: string): Promise<Recovered> {
  if (!existsSync(join(directory, "node.key"))) {
    const text = `there is no node.key in ${shownPath(directory, cli.io.cwd)}: it is no node's data directory; name the node's with --data`;
    throw new FaultError(fault("NODE_KEY_MISSING", text));
  }
  const { recoverOffline, requestRecovery } = await import("@capstan/plugins");
  if ((await ownServer(directory)) !== undefined) return requestRecovery({ directory });
  const plugins = (await cli.settings.file())?.config.plugins ?? (await standardPlugins(cli.settings, directory));
  try {
    return await recoverOffline({ directory, plugins });
  } catch (thrown) {
    // It runs, and did not answer at its address.
    if (!(thrown instanceof FaultError) || thrown.code !== "LOG_LOCKED") throw thrown;
    return requestRecovery({ directory });
  }
}
