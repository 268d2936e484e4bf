// Flushes files, and the directories that name them: a rename is durable only once its directory is.

import { closeSync, fsyncSync, openSync } from "node:fs";

/** @throws what the file system does */
export function syncFile(path: string): void {
  const file = openSync(path, "r+");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

export function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } catch {
    // Some file systems flush no directory, and need not.
  } finally {
    closeSync(directory);
  }
}
