// `capstan backup FILE`: the log of a running node, here or elsewhere, or of a stopped one, in a file of its own that was
// verified before it has its name. Keys are no part of it.

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { BackedUp, BackupSource, Signer, StoppedLog } from "@capstan/orchestrator";
import { FaultError, fault } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { thrownFault } from "../fault/thrown.ts";
import { notWritten, unwritable } from "../fault/unwritable.ts";
import { publicKeyIn, verifierKeys } from "../input/verifier-key.ts";
import { entryCount } from "../output/count.ts";
import { progressOn } from "../output/progress.ts";
import { shown } from "../output/shown.ts";
import { serverSource } from "../remote/server-source.ts";
import { isAway } from "../remote/unanswered.ts";
import { readServerFile } from "../settings/server-file.ts";
import { interruptible } from "./interruptible.ts";

interface Flags {
  readonly force?: boolean;
  readonly key?: string;
}

export function backupCommand(program: Command, cli: Cli): void {
  program
    .command("backup")
    .description("Write the node's log to a file that verifies by itself, while the node runs or when it is stopped.")
    .argument("<file>", "the file to make")
    .option("--force", "put it in the place of a file that is there")
    .option(
      "--key <key>",
      "the verifier key that must have signed the log, or a file with it (default: the node's node.pub)",
    )
    .action((file: string, flags: Flags) => backup(cli, file, flags))
    .addHelpText(
      "after",
      `
A running node is asked; a stopped one's log is read from its data directory. No key is in a backup: keep node.key, and node.id
where there is one, somewhere else and as safe as the node itself. See docs/operators.md.
`,
    )
    .examples(
      "capstan backup berlin.backup",
      "capstan --url https://berlin.example --token-file backup.token backup berlin.backup --key berlin.pub",
    );
}

async function backup(cli: Cli, file: string, { force = false, key }: Flags): Promise<void> {
  const { io, printer } = cli;
  const path = resolve(io.cwd, file);
  if (!force && existsSync(path)) throw notWritten(file, "is there already; add --force to replace it");
  const { backUp } = await import("@capstan/orchestrator");
  const trusted = key === undefined ? undefined : await verifierKeys(io, key);
  using origin = await originOf(cli);
  const keys = trusted ?? (origin.key === undefined ? undefined : [origin.key]);
  const progress = progressOn(cli, "backing up");
  let made: BackedUp;
  try {
    made = await interruptible(io, "the backup", (signal) =>
      backUp({ source: origin.source, path, keys, overwrite: force, signal, progress: progress.show }),
    );
  } catch (thrown) {
    throw unwritable(file, thrown);
  } finally {
    progress.end();
  }
  const { checkpoint, first, signedBy } = made;
  const { log, size, epoch, at } = checkpoint;
  const root = Buffer.from(checkpoint.root).toString("base64");
  printer.data({ file, log, entries: size, first, root, epoch, at, signedBy }, () => {
    const kept = first > 1 ? `, kept from ${first} on` : "";
    return `backup of ${entryCount(size)}${kept}, root ${root.slice(0, 12)}…, verified → ${shown(file)}\n`;
  });
  const left = (origin.head ?? size) - size;
  if (left > 0)
    printer.warn(`not in it: ${entryCount(left)} that no checkpoint covers; there is no node.key here to sign one`);
  if (keys === undefined)
    printer.note(`  signed by ${shown(signedBy)}, a key that only the log itself vouches for; --key checks it`);
  printer.note("  no key is in it: keep node.key elsewhere, and node.id where there is one");
}

interface Origin extends Disposable {
  readonly source: BackupSource;
  /** The verifier key that is known to be the node's. */
  readonly key: string | undefined;
  /** The last entry, where the log is at rest. */
  readonly head?: number;
}

/** The server in force; where none runs here and none was named, the stopped node's file. */
async function originOf(cli: Cli): Promise<Origin> {
  const data = (await cli.settings.text("data")) as string;
  try {
    const target = await cli.target();
    const source = serverSource(target);
    // Whether anybody answers there at all.
    await source.first();
    const here = readServerFile(data)?.url === target.url;
    return { source, key: here ? publicKeyIn(data) : undefined, [Symbol.dispose]() {} };
  } catch (thrown) {
    if ((await cli.settings.text("url")) !== undefined || !existsSync(join(data, "log.db"))) throw thrown;
    if (!isAway(thrownFault(thrown))) throw thrown;
    return stoppedOrigin(data, thrown);
  }
}

/** @param unanswered why no server was asked: where one has the log open, that is what is wrong */
async function stoppedOrigin(data: string, unanswered: unknown): Promise<Origin> {
  const { logSource, readNodeKey, StoppedLog } = await import("@capstan/orchestrator");
  // The key signs what the node did not come to sign. None is made here.
  const signer = await readNodeKey(data);
  let log: StoppedLog;
  try {
    log = new StoppedLog(join(data, "log.db"));
  } catch (thrown) {
    throw thrownFault(thrown).code === "LOG_LOCKED" ? unanswered : thrown;
  }
  const source = logSource(log, () => checkpointOf(log, signer));
  return { source, key: publicKeyIn(data), head: log.head, [Symbol.dispose]: () => log[Symbol.dispose]() };
}

/** Of all of it; without the node's key, of what was signed before it stopped. @throws FaultError CHECKPOINT_INVALID */
async function checkpointOf(log: StoppedLog, signer: Signer | undefined): Promise<string> {
  const noted = log.noted();
  if (noted !== undefined && (noted.size === log.head || signer === undefined)) return noted.note;
  if (signer !== undefined) return log.sign(signer, Date.now());
  const text =
    "there is no checkpoint of the log, and no node.key to sign one with; put the node's key in its directory";
  throw new FaultError(fault("CHECKPOINT_INVALID", text));
}
