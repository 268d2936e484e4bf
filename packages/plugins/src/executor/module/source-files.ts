// Whether a module's sources may have changed since it was inspected. On the path of every perform: one `stat` a file,
// 0.7 µs each, and no read.

import { statSync } from "node:fs";

export interface SourceFile {
  readonly path: string;
  readonly mtimeMs: number;
  readonly size: number;
  readonly ino: number;
}

/** A file as it is now; taken before it is read, so that a write in between shows. */
export function sourceFile(path: string): SourceFile {
  const { mtimeMs, size, ino } = statSync(path);
  return { path, mtimeMs, size, ino };
}

/** Cheap and coarse: `true` means look again (the bundle's digest says whether it matters). */
export function changed(files: readonly SourceFile[]): boolean {
  for (const file of files) {
    const now = statSync(file.path, { throwIfNoEntry: false });
    if (!now || now.mtimeMs !== file.mtimeMs || now.size !== file.size || now.ino !== file.ino) return true;
  }
  return false;
}
