// The kernel's FUSE protocol, version 7.31, as far as a small file system needs it: what a request says, and the bytes of an
// answer. Byte layouts: include/uapi/linux/fuse.h. Nothing here knows of files or faults.

/** Request codes. */
export const OP = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  FLUSH: 25,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  CREATE: 35,
  INTERRUPT: 36,
  DESTROY: 38,
  BATCH_FORGET: 42,
  RENAME2: 45,
} as const;

/** What a failed request is answered with; the numbers are Linux's. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  EACCES: 13,
  EEXIST: 17,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENOSPC: 28,
  EROFS: 30,
  ENOSYS: 38,
  ENOTEMPTY: 39,
} as const;

export type Errno = keyof typeof ERRNO;

/** Most bytes of one write, and what a buffer for requests must hold. */
export const MOST_WRITE = 128 * 1024;
export const REQUEST_BYTES = MOST_WRITE + 8192;

const HEADER_IN = 40;
const HEADER_OUT = 16;
const BIG_WRITES = 1 << 5;
/** Reads and writes of the file go past the kernel's cache, so that what a read gives is ours to say. */
const DIRECT_IO = 1;

export class Request {
  readonly opcode: number;
  readonly unique: bigint;
  readonly node: number;
  /** Of the thread that asks. */
  readonly pid: number;
  readonly #body: Buffer;

  constructor(bytes: Buffer) {
    this.opcode = bytes.readUInt32LE(4);
    this.unique = bytes.readBigUInt64LE(8);
    this.node = Number(bytes.readBigUInt64LE(16));
    this.pid = bytes.readUInt32LE(32);
    this.#body = bytes.subarray(HEADER_IN);
  }

  u32(at: number): number {
    return this.#body.readUInt32LE(at);
  }
  u64(at: number): number {
    return Number(this.#body.readBigUInt64LE(at));
  }
  /** `unique` of the request that an INTERRUPT is about. */
  interrupted(): bigint {
    return this.#body.readBigUInt64LE(0);
  }
  /** Names that stand after `at` bytes of fixed fields. */
  names(at: number): string[] {
    return this.#body.toString("utf8", at).split("\0");
  }
  data(at: number, size: number): Buffer {
    return this.#body.subarray(at, at + size);
  }
}

export interface Attributes {
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
}

export function answerOf(unique: bigint, body: Uint8Array = new Uint8Array(0)): Buffer {
  const answer = Buffer.alloc(HEADER_OUT + body.length);
  answer.writeUInt32LE(answer.length, 0);
  answer.writeBigUInt64LE(unique, 8);
  answer.set(body, HEADER_OUT);
  return answer;
}

export function errorOf(unique: bigint, errno: Errno): Buffer {
  const answer = answerOf(unique);
  answer.writeInt32LE(-ERRNO[errno], 4);
  return answer;
}

/** fuse_init_out. */
export function initOut(): Buffer {
  const out = Buffer.alloc(64);
  out.writeUInt32LE(7, 0);
  out.writeUInt32LE(31, 4);
  out.writeUInt32LE(MOST_WRITE, 8);
  out.writeUInt32LE(BIG_WRITES, 12);
  out.writeUInt16LE(16, 16);
  out.writeUInt16LE(12, 18);
  out.writeUInt32LE(MOST_WRITE, 20);
  out.writeUInt32LE(1, 24);
  return out;
}

/** fuse_attr_out: good for no time, so that the kernel asks again each time. */
export function attrOut(attributes: Attributes): Buffer {
  return Buffer.concat([Buffer.alloc(16), attrOf(attributes)]);
}

/** fuse_entry_out. */
export function entryOut(attributes: Attributes): Buffer {
  const out = Buffer.alloc(40);
  out.writeBigUInt64LE(BigInt(attributes.ino), 0);
  return Buffer.concat([out, attrOf(attributes)]);
}

/** fuse_open_out; the handle is the node itself. @param direct past the kernel's cache, which shared memory needs */
export function openOut(node: number, direct: boolean): Buffer {
  const out = Buffer.alloc(16);
  out.writeBigUInt64LE(BigInt(node), 0);
  out.writeUInt32LE(direct ? DIRECT_IO : 0, 8);
  return out;
}

/** fuse_write_out. */
export function writeOut(size: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeUInt32LE(size, 0);
  return out;
}

/** fuse_kstatfs of a disk with room. */
export function statfsOut(): Buffer {
  const out = Buffer.alloc(80);
  for (const at of [0, 8, 16, 24, 32]) out.writeBigUInt64LE(1_000_000n, at);
  out.writeUInt32LE(4096, 40);
  out.writeUInt32LE(255, 44);
  out.writeUInt32LE(4096, 48);
  return out;
}

/** The fuse_dirent of a directory's `index`th name. */
export function direntOut(index: number, name: string, mode: number): Buffer {
  const text = Buffer.from(name);
  const out = Buffer.alloc(24 + Math.ceil(text.length / 8) * 8);
  out.writeBigUInt64LE(1n, 0);
  out.writeBigUInt64LE(BigInt(index + 1), 8);
  out.writeUInt32LE(text.length, 16);
  out.writeUInt32LE(mode >> 12, 20);
  text.copy(out, 24);
  return out;
}

function attrOf({ ino, size, mtimeMs, mode, nlink, uid, gid }: Attributes): Buffer {
  const out = Buffer.alloc(88);
  out.writeBigUInt64LE(BigInt(ino), 0);
  out.writeBigUInt64LE(BigInt(size), 8);
  out.writeBigUInt64LE(BigInt(Math.ceil(size / 512)), 16);
  for (const at of [24, 32, 40]) out.writeBigUInt64LE(BigInt(Math.floor(mtimeMs / 1000)), at);
  for (const [i, value] of [mode, nlink, uid, gid, 0, 4096].entries()) out.writeUInt32LE(value, 60 + i * 4);
  return out;
}
