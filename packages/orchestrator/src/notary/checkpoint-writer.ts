// Keeps the latest checkpoint in a file beside the database. By it, an opening of the log detects that the newest entries are gone
// (log/checkpoint-file.ts). The file is replaced by a rename, so that a reader finds either the old or the new checkpoint.

import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";

/** A checkpoint is public. */
const MODE = 0o644;

export interface CheckpointWriter {
  /** The file's text; `undefined` where there is no file. */
  read(): Promise<string | undefined>;
  /** Durable once it resolves. One call at a time. @throws whatever the file system does */
  write(note: string): Promise<void>;
}

export function checkpointWriter(path: string): CheckpointWriter {
  return {
    async read() {
      try {
        return await readFile(path, "utf8");
      } catch (thrown) {
        if ((thrown as { code?: string }).code === "ENOENT") return undefined;
        throw thrown;
      }
    },
    write: (note) => replaceFile(path, note),
  };
}

/** Durable once it resolves; a reader finds either the old or the new content. @throws whatever the file system does */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, "w", MODE);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** A rename is durable only once its directory is. Off the main thread: it can take as long as the disk does. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } catch {
    // Some file systems cannot flush a directory, and need not.
  } finally {
    await directory.close();
  }
}
