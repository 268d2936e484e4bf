// `capstan log salvage FILE --out NEW`: what is whole of a damaged log, saved into a new one, and plainly told what is not.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Salvaged } from "@capstan/orchestrator";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { notWritten, unwritable } from "../fault/unwritable.ts";
import { namedFile } from "../input/named-file.ts";
import { entryCount } from "../output/count.ts";
import { progressOn } from "../output/progress.ts";
import { shown } from "../output/shown.ts";

export function logSalvage(log: Command, cli: Cli): void {
  log
    .command("salvage")
    .description("Save the entries of a damaged log up to the first damage into a new one.")
    .argument("<file>", "the damaged log's file; it is not changed")
    .requiredOption("--out <file>", "the file to make")
    .action((file: string, { out }: { readonly out: string }) => salvage(cli, file, out))
    .addHelpText(
      "after",
      `
The tables are made anew from the entries that are saved. What comes after the first damage is not: a log without an entry in its
middle would be another log. A backup may have more: capstan restore BACKUP. The new file takes the place of the old one by a
restore, which begins a new epoch, so that whoever kept an older checkpoint sees that entries were given up.
`,
    )
    .examples(
      "capstan log salvage .capstan/log.db --out saved.db",
      "capstan log verify saved.db",
      "capstan restore saved.db",
    );
}

async function salvage(cli: Cli, file: string, out: string): Promise<void> {
  const { io, printer } = cli;
  const damaged = namedFile(io, file);
  const path = resolve(io.cwd, out);
  if (existsSync(path)) throw notWritten(out, "is there already; name another, nothing is overwritten");
  const { salvageLog } = await import("@capstan/orchestrator");
  const progress = progressOn(cli, "saving");
  let saved: Salvaged;
  try {
    saved = salvageLog(damaged, path, progress.show);
  } catch (thrown) {
    throw unwritable(out, thrown);
  } finally {
    progress.end();
  }
  printer.data({ file: out, ...saved }, () => savedText(saved, out));
  if (saved.stopped !== undefined) printer.warn(lostText(saved));
  if (saved.contradicted !== undefined) {
    printer.warn(
      `the first ${entryCount(saved.contradicted)} are not those that a checkpoint is of, and nothing tells which were changed: a backup is safer`,
    );
  }
  printer.note(
    `  next: capstan log verify ${shown(out)}, then capstan restore ${shown(out)}${saved.covered < saved.last ? " --unproved" : ""}`,
  );
}

function savedText({ first, last, covered }: Salvaged, out: string): string {
  const proved = covered === 0 ? "no checkpoint covers them" : `a checkpoint covers ${entryCount(covered)}`;
  return `saved entries ${first} to ${last}, tables made anew, ${proved} → ${shown(out)}\n`;
}

function lostText({ last, of, stopped = "" }: Salvaged): string {
  const lost = of === last + 1 ? `entry ${of} is` : `entries ${last + 1} to ${of} are`;
  return `${lost} lost: ${shown(stopped)}`;
}
