// What cannot be written, told apart from what cannot be read: a backup reads on one disk and writes on another.

/** `cause` is what SQLite or the file system threw, with its `code`. */
export class Unwritable extends Error {
  readonly path: string;

  constructor(path: string, cause: unknown) {
    super(`${path} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = "Unwritable";
    this.path = path;
  }
}

/** @throws Unwritable where the disk or the file system refuses; a bug is a bug, and thrown as it is */
export function writing<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (thrown) {
    const { code, syscall } = (thrown ?? {}) as { code?: unknown; syscall?: unknown };
    const refused = typeof code === "string" && (syscall !== undefined || code.startsWith("SQLITE_"));
    throw refused ? new Unwritable(path, thrown) : thrown;
  }
}
