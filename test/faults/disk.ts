// The files of a disk that can fail: names and modes are those of a plain directory, the platter; contents go through a
// cache (cached-file.ts), and every operation is first held against the fault that is on. It answers FUSE requests by value.

import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  type Stats,
  unlinkSync,
} from "node:fs";
import { join } from "node:path";
import { SeededRandom } from "../chaos/seeded-random.ts";
import { CachedFile } from "./cached-file.ts";
import type { FaultRule, Operation } from "./fault-rule.ts";
import { type Attributes, ERRNO, type Errno } from "./fuse-protocol.ts";

interface Node {
  readonly id: number;
  /** From the root on, without a slash before it; `undefined` once its name is gone. */
  path: string | undefined;
  file: CachedFile | undefined;
  /** As it was when its name went. */
  last: Stats | undefined;
  opened: number;
}

export class DiskError extends Error {
  constructor(readonly errno: Errno) {
    super(errno);
  }
}

export type Report = (
  operation: Operation,
  path: string,
  fact: { readonly size?: number; readonly error?: Errno },
) => void;

const ROOT = 1;
/** O_ACCMODE, which node:fs has not. */
const ACCESS_MODE = 3;

export class Disk {
  rule: FaultRule | undefined;
  /** Flushes are answered, and not done. */
  lies = false;
  readonly #platter: string;
  readonly #report: Report;
  readonly #random: SeededRandom;
  readonly #nodes = new Map<number, Node>();
  readonly #byPath = new Map<string, Node>();
  #lastId = ROOT;

  constructor(platter: string, seed: number, report: Report) {
    this.#platter = platter;
    this.#report = report;
    this.#random = new SeededRandom(seed);
    const root = { id: ROOT, path: "", file: undefined, last: undefined, opened: 0 };
    this.#nodes.set(ROOT, root);
    this.#byPath.set("", root);
  }

  pathOf(id: number): string {
    return this.#node(id).path ?? "(deleted)";
  }

  lookup(parent: number, name: string): Attributes {
    const path = this.#child(parent, name);
    const stats = this.#try(() => lstatSync(join(this.#platter, path)));
    return this.#attributes(this.#at(path), stats);
  }

  attributes(id: number): Attributes {
    const node = this.#node(id);
    const stats = node.last ?? this.#try(() => lstatSync(this.#real(node)));
    return this.#attributes(node, stats);
  }

  change(id: number, to: { size?: number; mode?: number; uid?: number; gid?: number }): Attributes {
    const node = this.#node(id);
    this.#check("change", node.path ?? "");
    if (to.size !== undefined) this.#fileOf(node).truncate(to.size);
    const { mode, uid, gid } = to;
    if (mode !== undefined) this.#try(() => chmodSync(this.#real(node), mode & 0o7777));
    if (uid !== undefined || gid !== undefined) {
      const now = this.attributes(id);
      this.#try(() => chownSync(this.#real(node), uid ?? now.uid, gid ?? now.gid));
    }
    return this.attributes(id);
  }

  create(parent: number, name: string, mode: number): Attributes {
    const path = this.#child(parent, name);
    this.#check("change", path);
    this.#try(() => closeSync(openSync(join(this.#platter, path), "wx", mode & 0o7777)));
    const made = this.lookup(parent, name);
    this.open(made.ino, constants.O_RDONLY);
    return made;
  }

  makeDirectory(parent: number, name: string, mode: number): Attributes {
    const path = this.#child(parent, name);
    this.#check("change", path);
    this.#try(() => mkdirSync(join(this.#platter, path), { mode: mode & 0o7777 }));
    return this.lookup(parent, name);
  }

  remove(parent: number, name: string, directory: boolean): void {
    const path = this.#child(parent, name);
    this.#check("change", path);
    const real = join(this.#platter, path);
    const node = this.#byPath.get(path);
    // It may be open still, and is then read and written without a name.
    if (node !== undefined && !directory) {
      this.#fileOf(node);
      node.last = lstatSync(real);
    }
    this.#try(() => (directory ? rmdirSync(real) : unlinkSync(real)));
    this.#unname(path);
  }

  rename(from: number, name: string, to: number, newName: string): void {
    const [before, after] = [this.#child(from, name), this.#child(to, newName)];
    this.#check("change", before);
    const replaced = this.#byPath.get(after);
    if (replaced !== undefined && lstatSync(join(this.#platter, after)).isFile()) {
      this.#fileOf(replaced);
      replaced.last = lstatSync(join(this.#platter, after));
    }
    this.#try(() => renameSync(join(this.#platter, before), join(this.#platter, after)));
    this.#unname(after);
    for (const [path, node] of [...this.#byPath]) {
      if (path !== before && !path.startsWith(`${before}/`)) continue;
      this.#byPath.delete(path);
      node.path = after + path.slice(before.length);
      this.#byPath.set(node.path, node);
    }
  }

  open(id: number, flags: number): void {
    const node = this.#node(id);
    if ((flags & ACCESS_MODE) !== constants.O_RDONLY) this.#check("change", node.path ?? "");
    this.#fileOf(node);
    node.opened++;
  }

  release(id: number): void {
    const node = this.#node(id);
    if (--node.opened > 0 || node.path !== undefined) return;
    node.file?.close();
    this.#nodes.delete(id);
  }

  read(id: number, offset: number, size: number): Buffer {
    const node = this.#node(id);
    this.#check("read", node.path ?? "");
    return this.#fileOf(node).read(offset, size);
  }

  /** Answers how many bytes were taken. */
  write(id: number, offset: number, data: Buffer): number {
    const node = this.#node(id);
    const path = node.path ?? "";
    let taken = data.length;
    if (this.rule?.concerns("write", path)) {
      taken = this.rule.takes(data.length);
      if (taken === 0) this.#fail("write", path, this.rule.errno);
    }
    this.#fileOf(node).write(offset, data.subarray(0, taken));
    this.#report("write", path, { size: taken });
    return taken;
  }

  flush(id: number): void {
    const node = this.#node(id);
    const path = node.path ?? "";
    const file = this.#fileOf(node);
    if (this.rule?.concerns("flush", path)) {
      file.lose(this.rule.loss, () => this.#random.next());
      this.#fail("flush", path, this.rule.errno);
    }
    if (!this.lies) file.flush();
    this.#report("flush", path, {});
  }

  names(id: number): { readonly name: string; readonly mode: number }[] {
    const node = this.#node(id);
    const entries = this.#try(() => readdirSync(this.#real(node), { withFileTypes: true }));
    const modeOf = (directory: boolean): number => (directory ? constants.S_IFDIR : constants.S_IFREG);
    const dots = [".", ".."].map((name) => ({ name, mode: modeOf(true) }));
    return [...dots, ...entries.map((entry) => ({ name: entry.name, mode: modeOf(entry.isDirectory()) }))];
  }

  /** All that is seen reaches the platter, as a machine that goes on running sees to in time. */
  settle(): void {
    for (const { file } of this.#nodes.values()) file?.settle();
  }

  /** The power is cut. @param some of what was not flushed may have reached the platter; else nothing did */
  cut(some: boolean): void {
    for (const { file } of this.#nodes.values()) file?.cut(some ? () => this.#random.next() : undefined);
  }

  #attributes(node: Node, stats: Stats): Attributes {
    const { mtimeMs, mode, nlink, uid, gid } = stats;
    return { ino: node.id, size: node.file?.size ?? stats.size, mtimeMs, mode, nlink, uid, gid };
  }

  #check(operation: Operation, path: string): void {
    if (this.rule?.concerns(operation, path)) this.#fail(operation, path, this.rule.errno);
  }

  #fail(operation: Operation, path: string, error: Errno): never {
    this.#report(operation, path, { error });
    throw new DiskError(error);
  }

  #node(id: number): Node {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new DiskError("ENOENT");
    return node;
  }

  #at(path: string): Node {
    const known = this.#byPath.get(path);
    if (known !== undefined) return known;
    const node = { id: ++this.#lastId, path, file: undefined, last: undefined, opened: 0 };
    this.#nodes.set(node.id, node);
    this.#byPath.set(path, node);
    return node;
  }

  #child(parent: number, name: string): string {
    const { path = "" } = this.#node(parent);
    return path === "" ? name : `${path}/${name}`;
  }

  #real(node: Node): string {
    if (node.path === undefined) throw new DiskError("ENOENT");
    return join(this.#platter, node.path);
  }

  #fileOf(node: Node): CachedFile {
    node.file ??= this.#try(() => new CachedFile(this.#real(node)));
    return node.file;
  }

  #unname(path: string): void {
    const node = this.#byPath.get(path);
    if (node === undefined) return;
    this.#byPath.delete(path);
    node.path = undefined;
    if (node.opened > 0) return;
    node.file?.close();
    this.#nodes.delete(node.id);
  }

  #try<T>(work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      if (thrown instanceof DiskError) throw thrown;
      const { code = "" } = thrown as { code?: string };
      throw new DiskError(code in ERRNO ? (code as Errno) : "EIO");
    }
  }
}
