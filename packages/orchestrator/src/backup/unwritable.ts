// An error class for writes that failed, to tell them from failed reads: a backup reads from one disk and writes to another.

/** `cause` is what SQLite or the file system threw, with its `code`. */
export class Unwritable extends Error {
  readonly path: string;

  constructor(path: string, cause: unknown) {
    super(`${path} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = "Unwritable";
    this.path = path;
  }
}

/** @throws Unwritable where the disk or the file system refuses; other errors unchanged, because they are bugs */
export function writing<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (thrown) {
    const { code, syscall } = (thrown ?? {}) as { code?: unknown; syscall?: unknown };
    const refused = typeof code === "string" && (syscall !== undefined || code.startsWith("SQLITE_"));
    throw refused ? new Unwritable(path, thrown) : thrown;
  }
}
