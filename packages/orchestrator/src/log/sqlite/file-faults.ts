// The faults with which opening a log's file is refused: what is wrong, and what to do. It owns the pid file beside the log, which
// names the process that has the log open.

import { SQLiteError } from "bun:sqlite";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { FaultError, fault } from "../../fault/fault.ts";
import type { KernelFaultCode } from "../../fault/kernel-faults.ts";

/** The most lines of damage in a message; further ones are only counted. */
const MOST_NAMED = 3;

export function refusal(code: KernelFaultCode, path: string, message: string): FaultError {
  return new FaultError(fault(code, message, { path }));
}

export function wayBack(path: string): string {
  return `restore a backup (capstan restore BACKUP), or save what is whole (capstan log salvage ${path} --out NEW)`;
}

export function damagedFile(path: string, lines: readonly string[]): FaultError {
  return refusal("LOG_DAMAGED", path, `the log ${path} is damaged: ${named(lines)}; ${wayBack(path)}`);
}

export function named(lines: readonly string[]): string {
  const more = lines.length - MOST_NAMED;
  return [...lines.slice(0, MOST_NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

/** The fault for an error of SQLite or the file system at opening; any other error is rethrown. */
export function refusalOf(thrown: unknown, path: string): unknown {
  if (thrown instanceof SQLiteError) return sqliteRefusal(thrown, path);
  const { code, syscall } = thrown as { code?: string; syscall?: string };
  return syscall === undefined ? thrown : unavailable(path, `${syscall}: ${code}`);
}

function sqliteRefusal(error: SQLiteError, path: string): FaultError {
  const code = error.code ?? "";
  if (code.startsWith("SQLITE_BUSY")) return locked(path);
  if (code === "SQLITE_NOTADB") {
    const what = `${path} is no log of Capstan's, or is damaged from its beginning on: ${error.message}`;
    return refusal("LOG_DAMAGED", path, `${what}; name another file, or restore a backup (capstan restore BACKUP)`);
  }
  if (code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_IOERR_SHORT_READ") {
    return damagedFile(path, [error.message]);
  }
  return unavailable(path, error.message);
}

function unavailable(path: string, why: string): FaultError {
  const todo = "check that its directory exists and can be read and written, and that the disk works";
  return refusal("LOG_UNAVAILABLE", path, `the log ${path} cannot be opened (${why}); ${todo}`);
}

export function locked(path: string): FaultError {
  const pid = holderOf(path);
  const holder =
    pid === undefined ? "another process" : pid === process.pid ? `this process (${pid})` : `process ${pid}`;
  return new FaultError(
    fault("LOG_LOCKED", `the log ${path} is open in ${holder}; stop it first, or use another data directory`, {
      path,
      ...(pid === undefined ? {} : { pid }),
    }),
  );
}

export function writePid(path: string): void {
  try {
    writeFileSync(pidOf(path), `${process.pid}\n`);
  } catch {
    // The lock works without a pid file; only the refusal for another process then names no holder.
    rmSync(pidOf(path), { force: true });
  }
}

export function removePid(path: string): void {
  rmSync(pidOf(path), { force: true });
}

function pidOf(path: string): string {
  return `${path}.pid`;
}

/** The pid in the file beside the log; `undefined` where there is none, for example if the holder is another program. */
export function holderOf(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidOf(path), "utf8"), 10);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
