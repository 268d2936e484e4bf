// Turns a failed read of the disk into a retryable fault. Writes do not need this: the
// committer reports every failed append (pipeline/committer.ts). Permanent damage is found at opening.

import { SQLiteError } from "bun:sqlite";
import { FaultError, fault } from "../../../fault/fault.ts";

/** @throws FaultError `LOG_UNAVAILABLE` where SQLite could not read */
export function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    throw thrown instanceof SQLiteError ? unreadable(thrown) : thrown;
  }
}

// SQLite reports SQLITE_CORRUPT also if the disk answers EIO (os_unix.c, unixRead): the two cannot be told apart here.
function unreadable({ message }: SQLiteError): FaultError {
  const todo =
    "try again; if it stays so, the disk fails or the file is damaged: stop the node and run capstan log verify";
  return new FaultError(
    fault("LOG_UNAVAILABLE", `the log could not be read (${message}), so nothing was done; ${todo}`),
  );
}
