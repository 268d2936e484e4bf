// Files of a script: only below the directories of its registration, and over no link. Each directory on the way is opened
// from the one before, so that nothing that is swapped meanwhile leads elsewhere (openat, by way of /proc/self/fd).

import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, open, opendir, readlink, rename, unlink } from "node:fs/promises";
import { isAbsolute, normalize } from "node:path";
import { FaultError, fault, printable } from "@capstan/orchestrator";

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;
const MOST_FILE_BYTES = 4 * 1024 * 1024;
const MOST_NAMES = 10_000;
const MOST_PATH = 4096;

export interface Directories {
  readonly read: readonly string[];
  readonly write: readonly string[];
}

/** What is wrong with a directory of a registration; `undefined` where nothing is. */
export function directoryFlaw(directory: string): string | undefined {
  if (!isAbsolute(directory)) return "is not absolute";
  if (/\p{Cc}/u.test(directory)) return "has control characters";
  if (normalize(directory) !== directory || (directory.length > 1 && directory.endsWith("/"))) {
    return "is not in its simplest form: no `..`, no `.`, no `/` at its end";
  }
  return undefined;
}

export class GrantedFiles {
  constructor(private readonly directories: Directories) {}

  async readText(path: string): Promise<string> {
    return this.#within("read", path, async (parent, name) => {
      await using file = await opened(path, `${parent}/${name}`, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      if (!(await file.stat()).isFile()) throw refused(path, "is no file");
      return text(path, await bytes(path, file));
    });
  }

  /** All of it or nothing: a new file takes the old one's place. */
  async writeText(path: string, content: string): Promise<void> {
    if (Buffer.byteLength(content) > MOST_FILE_BYTES)
      throw refused(path, `would have more than ${MOST_FILE_BYTES} bytes`);
    await this.#within("write", path, async (parent, name) => {
      const before = await lstat(`${parent}/${name}`).catch(() => undefined);
      if (before !== undefined && !before.isFile()) throw refused(path, "is no file");
      const draft = `${parent}/.${randomBytes(8).toString("hex")}.draft`;
      const file = await opened(path, draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
      try {
        await file.writeFile(content);
        if (before !== undefined) await file.chmod(before.mode & 0o777);
        await file.sync();
        await rename(draft, `${parent}/${name}`);
      } catch (thrown) {
        await unlink(draft).catch(() => undefined);
        throw said(path, thrown);
      } finally {
        await file.close();
      }
    });
  }

  /** Names in order, each with its kind. */
  async list(path: string): Promise<{ readonly name: string; readonly kind: Kind }[]> {
    return this.#within("read", path, async (parent, name) => {
      await using directory = await opened(path, `${parent}/${name}`, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      const entries: { readonly name: string; readonly kind: Kind }[] = [];
      for await (const entry of await opendir(`/proc/self/fd/${directory.fd}`)) {
        if (entries.length === MOST_NAMES) throw refused(path, `has more than ${MOST_NAMES} names`);
        entries.push({ name: entry.name, kind: kindOf(entry) });
      }
      return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    });
  }

  async stat(path: string): Promise<{ readonly kind: Kind; readonly size: number; readonly modified: number }> {
    return this.#within("read", path, async (parent, name) => {
      const found = await lstat(`${parent}/${name}`).catch((thrown) => {
        throw said(path, thrown);
      });
      return { kind: kindOf(found), size: found.size, modified: Math.trunc(found.mtimeMs) };
    });
  }

  /** Calls with the way to the path's parent, which stays what it is, and the name in it. */
  async #within<T>(
    verb: "read" | "write",
    path: string,
    use: (parent: string, name: string) => Promise<T>,
  ): Promise<T> {
    const { directory, names } = this.#place(verb, path);
    let at = await opened(path, directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    try {
      if ((await readlink(`/proc/self/fd/${at.fd}`)) !== directory) {
        throw refused(path, "its directory is reached over a link; register the one that it leads to");
      }
      for (const name of names.slice(0, -1)) {
        const next = await opened(path, `/proc/self/fd/${at.fd}/${name}`, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        await at.close();
        at = next;
      }
      return await use(`/proc/self/fd/${at.fd}`, names.at(-1) ?? ".");
    } finally {
      await at.close();
    }
  }

  #place(verb: "read" | "write", path: string): { readonly directory: string; readonly names: readonly string[] } {
    if (path.length > MOST_PATH) throw refused(`${path.slice(0, 100)}…`, `is longer than ${MOST_PATH} characters`);
    if (path.includes("\0")) throw refused(path, "has a character that no path has");
    const granted = this.directories[verb];
    const found = isAbsolute(path)
      ? granted.filter((one) => path === one || path.startsWith(one === "/" ? one : `${one}/`))
      : granted.slice(0, 1);
    const directory = found.sort((a, b) => b.length - a.length)[0];
    if (directory === undefined) throw refused(path, `lies in no directory that this script may ${verb}`);
    const below = isAbsolute(path) ? path.slice(directory.length) : path;
    const names = below.split("/").filter((name) => name !== "" && name !== ".");
    if (names.includes("..")) throw refused(path, "has `..` in it");
    return { directory, names };
  }
}

type Kind = "file" | "directory" | "link" | "other";

function kindOf(found: { isFile(): boolean; isDirectory(): boolean; isSymbolicLink(): boolean }): Kind {
  if (found.isFile()) return "file";
  if (found.isDirectory()) return "directory";
  return found.isSymbolicLink() ? "link" : "other";
}

async function opened(path: string, place: string, flags: number): Promise<FileHandle> {
  try {
    return await open(place, flags, 0o644);
  } catch (thrown) {
    throw said(path, thrown);
  }
}

async function bytes(path: string, file: FileHandle): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { bytesRead, buffer } = await file.read(new Uint8Array(64 * 1024), 0, 64 * 1024);
    if (bytesRead === 0) return Buffer.concat(chunks);
    size += bytesRead;
    if (size > MOST_FILE_BYTES) throw refused(path, `has more than ${MOST_FILE_BYTES} bytes`);
    chunks.push(buffer.subarray(0, bytesRead));
  }
}

function text(path: string, content: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch {
    throw refused(path, "is no text in UTF-8");
  }
}

/** The system's error, in our words: a code, and the path as the script wrote it. */
function said(path: string, thrown: unknown): FaultError {
  if (thrown instanceof FaultError) return thrown;
  switch ((thrown as { code?: string }).code) {
    case "ENOENT":
      return new FaultError(fault("FILE_NOT_FOUND", `there is no "${printable(path)}"`));
    case "ELOOP":
    case "ENOTDIR":
      return refused(path, "is a link, or leads over one or over a file");
    default:
      return refused(path, `cannot be used (${(thrown as { code?: string }).code ?? "no reason given"})`);
  }
}

function refused(path: string, why: string): FaultError {
  return new FaultError(fault("FILE_REFUSED", `"${printable(path)}" ${why}`));
}
