// `capstan log verify [FILE]`: whether a log is what was logged. A file is verified by itself; where a node runs, what it gives
// out is verified here, by the same code.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Verification, VerifyOptions, WitnessedLog } from "@capstan/orchestrator";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { exitCodes } from "../fault/exit-codes.ts";
import { thrownFault } from "../fault/thrown.ts";
import { fileText } from "../input/json-input.ts";
import { namedFile } from "../input/named-file.ts";
import { publicKeyIn, verifierKeys } from "../input/verifier-key.ts";
import { progressOn } from "../output/progress.ts";
import { shown } from "../output/shown.ts";
import { serverSource } from "../remote/server-source.ts";
import { isAway } from "../remote/unanswered.ts";

interface Flags {
  readonly checkpoint?: string;
  readonly key?: string;
  readonly witness?: string;
}

export function logVerify(log: Command, cli: Cli): void {
  log
    .command("verify")
    .description("Verify that a log is what was logged: entries, tables, tree, signatures.")
    .argument("[file]", "the log's file (default: ask the server; where none runs, the data directory's log)")
    .option("--checkpoint <file>", "a checkpoint that was kept elsewhere, which the log has to hold")
    .option("--key <key>", "the verifier key that you trust, or a file with it (a node's node.pub), or with several")
    .option(
      "--witness <file-or-peer>",
      "what a witness holds of it: a file from there (witness/<node>.checkpoint, the .leaves beside it), or a peer that the node asks",
    )
    .action((file: string | undefined, flags: Flags) => verify(cli, file, flags))
    .addHelpText(
      "after",
      `
It needs nothing of a server, and changes not a byte. A server gives out entries; its tables are verified in the file alone. Without
--key the checkpoints are held against the data directory's node.pub, or else against the keys that the log itself names, which
shows that it agrees with itself. Without a checkpoint kept elsewhere nobody can tell whether the log was cut off
together with its checkpoint. --witness names the first entry that is another than a neighbour was shown, or is gone. Entries after the newest checkpoint are proved by nothing yet: they are counted.

Exit codes: 0 valid, ${exitCodes.notVerified} does not verify; help exit-codes has the others.
`,
    )
    .examples(
      "capstan log verify",
      "capstan log verify .capstan/log.db --key .capstan/node.pub",
      "capstan log checkpoint > kept.checkpoint",
      "capstan log verify /mnt/copy/log.db --checkpoint kept.checkpoint --key berlin.pub",
      "capstan log verify --witness osaka",
      "capstan log verify .capstan/log.db --witness from-osaka.checkpoint",
    );
}

async function verify(cli: Cli, file: string | undefined, { checkpoint, key, witness }: Flags): Promise<void> {
  const { io, printer } = cli;
  const path = file === undefined ? undefined : namedFile(io, file);
  const { verificationText, verifyLogFile } = await import("@capstan/orchestrator");
  const progress = progressOn(cli, "verifying");
  const options: VerifyOptions = {
    checkpoint: checkpoint === undefined ? undefined : await fileText(io, checkpoint),
    witness: witness === undefined ? undefined : await witnessed(cli, witness, path !== undefined),
    keys: key === undefined ? undefined : await verifierKeys(io, key),
    progress: progress.show,
  };
  let result: Verification;
  try {
    result = path === undefined ? await verifyHere(cli, options) : await verifyLogFile(path, options);
  } finally {
    progress.end();
  }
  if (!result.valid) cli.exitCode = exitCodes.notVerified;
  printer.data(result, () => verificationText(result).split("\n").map(shown).join("\n"));
}

async function witnessed(cli: Cli, said: string, alone: boolean): Promise<WitnessedLog> {
  const { witnessedLog } = await import("../remote/witnessed-log.ts");
  return witnessedLog(cli, said, alone);
}

/** The server's log; where no server was named and none runs, the one in the data directory. */
async function verifyHere(cli: Cli, options: VerifyOptions): Promise<Verification> {
  const { verifyExport, verifyLogFile } = await import("@capstan/orchestrator");
  const { settings } = cli;
  const data = (await settings.text("data")) as string;
  const path = join(data, "log.db");
  const elsewhere = (await settings.text("url")) !== undefined;
  const own = elsewhere ? undefined : publicKeyIn(data);
  const trusting = { ...options, keys: options.keys ?? (own === undefined ? undefined : [own]) };
  try {
    return await verifyExport(serverSource(await cli.target()), trusting);
  } catch (unanswered) {
    if (elsewhere || !existsSync(path) || !isAway(thrownFault(unanswered))) throw unanswered;
    try {
      return await verifyLogFile(path, trusting);
    } catch (thrown) {
      throw thrownFault(thrown).code === "LOG_LOCKED" ? unanswered : thrown;
    }
  }
}
