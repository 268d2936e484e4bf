// `capstan restore FILE`: a backup in the place of the data directory's log. What is there is moved aside and never removed;
// a running node's is not touched, whatever is asked for.

import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { Restored, Signer } from "@capstan/orchestrator";
import { formatVerifierKey } from "@capstan/orchestrator/proof";
import { FaultError, fault } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { usageFault } from "../fault/thrown.ts";
import { unwritable } from "../fault/unwritable.ts";
import { reasonOf } from "../input/json-input.ts";
import { namedFile } from "../input/named-file.ts";
import { verifierKeys } from "../input/verifier-key.ts";
import { count, entryCount } from "../output/count.ts";
import { progressOn } from "../output/progress.ts";
import { shown } from "../output/shown.ts";
import { shownPath } from "../settings/target.ts";
import { interruptible } from "./interruptible.ts";

interface Flags {
  readonly replace?: boolean;
  readonly newKey?: boolean;
  readonly unproved?: boolean;
  readonly key?: string;
}

export function restoreCommand(program: Command, cli: Cli): void {
  program
    .command("restore")
    .description("Put a backup in the place of a stopped node's log.")
    .argument("<file>", "the backup, or the log.db of a stopped node")
    .option("--replace", "move aside the log that is there")
    .option("--new-key", "without a node.key: have the next start make another identity")
    .option("--unproved", "take entries too that no checkpoint covers, as after a salvage; the node's key signs them")
    .option(
      "--key <key>",
      "the verifier key that must have signed it, or a file with it (default: what the directory knows)",
    )
    .action((file: string, flags: Flags) => restore(cli, file, flags))
    .addHelpText(
      "after",
      `
The backup is verified, entry by entry, before anything in the directory is touched. The log goes on from it in a new epoch; what
came after the backup is not in it, and every checkpoint from then on says that there was a restore. See docs/operators.md.
`,
    )
    .examples(
      "capstan restore berlin.backup --replace",
      "capstan restore berlin.backup --data /var/lib/capstan --key berlin.pub",
    );
}

async function restore(
  cli: Cli,
  file: string,
  { replace = false, newKey = false, unproved = false, key }: Flags,
): Promise<void> {
  const { io } = cli;
  const backup = namedFile(io, file);
  const { keysAdmittedBy, restoreLog } = await import("@capstan/orchestrator");
  const data = (await cli.settings.text("data")) as string;
  const near = shownPath(data, io.cwd);
  const said = key === undefined ? undefined : await verifierKeys(io, key);
  const signer = await signerIn(data, near, newKey);
  if (unproved && signer === undefined)
    throw usageFault("restore --unproved: it takes the node's key to sign what nobody did");
  const log = join(data, "log.db");
  const keys = said ?? knownKeys(signer, keysAdmittedBy(log));
  const made = makeDirectory(data, near);
  const progress = progressOn(cli, "restoring");
  let restored: Restored;
  try {
    restored = await interruptible(io, "the restore", (signal) =>
      restoreLog({
        ...{ file: backup, log, keys, replace, signal, progress: progress.show, now: Date.now() },
        ...(unproved ? { unproved: signer } : {}),
      }),
    );
  } catch (thrown) {
    if (made) removeEmpty(data);
    throw untrusted(unwritable(near, thrown), said === undefined && keys !== undefined);
  } finally {
    progress.end();
  }
  tell(cli, near, restored, {
    file,
    vouched: keys !== undefined,
    signer,
    adminToken: existsSync(join(data, "admin.token")),
  });
}

/** @throws FaultError NODE_KEY_MISSING, KEY_FILE_INVALID, USAGE_INVALID */
async function signerIn(data: string, near: string, newKey: boolean): Promise<Signer | undefined> {
  const { readNodeKey } = await import("@capstan/orchestrator");
  const signer = await readNodeKey(data);
  if (signer !== undefined && newKey)
    throw usageFault(`restore --new-key: there is a node.key in ${near}; it stays the node's`);
  if (signer !== undefined) return signer;
  if (newKey) return undefined;
  const text = `there is no node.key in ${near}: put the node's there, and its node.id where it had one; or add --new-key, and the next start makes another identity: what the old key signed still verifies by the old key, and who trusts the node has to be told the new one`;
  throw new FaultError(fault("NODE_KEY_MISSING", text));
}

/** What this directory itself says of whose log it is; `undefined` where it knows of no key. */
function knownKeys(signer: Signer | undefined, admitted: readonly string[]): readonly string[] | undefined {
  const known = [...(signer === undefined ? [] : [formatVerifierKey(signer)]), ...admitted];
  return known.length === 0 ? undefined : known;
}

/** Whether it was made here. */
function makeDirectory(data: string, near: string): boolean {
  try {
    return mkdirSync(data, { recursive: true, mode: 0o700 }) !== undefined;
  } catch (error) {
    throw new FaultError(fault("FILE_UNWRITABLE", `${near} cannot be the data directory: ${reasonOf(error)}`));
  }
}

function removeEmpty(data: string): void {
  try {
    rmdirSync(data);
  } catch {
    // Something is in it by now.
  }
}

/** A signature by a key that this directory does not know may well be the node's own, from before a rotation. */
function untrusted(thrown: unknown, byDirectory: boolean): unknown {
  if (!(thrown instanceof FaultError) || thrown.code !== "SIGNATURE_INVALID" || !byDirectory) return thrown;
  const todo = "if it is this node's from before a rotation, name the key that it had then with --key";
  return new FaultError(fault(thrown.code, `${thrown.message}; ${todo}`, thrown.details));
}

interface Told {
  readonly file: string;
  /** Whether somebody but the backup says that its key is the node's. */
  readonly vouched: boolean;
  readonly signer: Signer | undefined;
  readonly adminToken: boolean;
}

function tell({ printer }: Cli, near: string, restored: Restored, { file, vouched, signer, adminToken }: Told): void {
  const { checkpoint, signedBy, epoch, aside, replaced } = restored;
  const { log, size } = checkpoint;
  const root = Buffer.from(checkpoint.root).toString("base64");
  const lost = replaced?.log === log ? Math.max(0, replaced.head - size) : undefined;
  const told = {
    file,
    data: near,
    log,
    entries: size,
    root,
    epoch,
    signedBy,
    aside,
    ...(lost === undefined ? {} : { lost }),
  };
  printer.data(told, () => {
    return `restored ${entryCount(size)}, root ${root.slice(0, 12)}…, verified → ${near}; epoch ${epoch} begins\n`;
  });
  const where = `${near}/${aside.find((name) => !/[-.](?:checkpoint|sums|wal|shm|journal)$/.test(name)) ?? aside[0]}`;
  if (lost !== undefined && lost > 0) printer.note(`  ${lostText(size, lost)}, kept in ${where}`);
  else if (aside.length > 0) printer.note(`  what was there is kept in ${where}`);
  if (replaced !== undefined && replaced.log !== log)
    printer.warn(`what was there was another log, ${shown(replaced.log)}`);
  if (!vouched)
    printer.warn(`only the backup itself vouches for the key that signed it, of ${shown(signedBy)}; --key checks it`);
  if (signer === undefined) printer.note("  the next start makes a new node.key, and with it another identity");
  if (!adminToken) {
    const when = signer === undefined ? "once the node has started, " : "";
    printer.note(`  there is no admin.token: ${when}capstan admin recover makes one`);
  }
}

/** What the log had that is not in the backup. */
function lostText(size: number, lost: number): string {
  if (lost === 1) return `1 entry after the backup is not in it: ${count(size + 1)}`;
  return `${entryCount(lost)} after the backup are not in it: ${count(size + 1)} to ${count(size + lost)}`;
}
