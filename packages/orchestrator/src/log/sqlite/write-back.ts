// When what is in the WAL is written back into the main file: at the commit that passes CHECKPOINT_BYTES, and at closing.
// It is done here and not by SQLite itself, because the pages' sums have to be durable before (page-sums.ts).

import type { Database, Statement } from "bun:sqlite";
import { closeSync, openSync, readSync, rmSync } from "node:fs";
import { PageSums, sumOf, sumsOf } from "./page-sums.ts";
import { checkpointPages, FRAME_HEADER_BYTES, HEADER_BYTES, sizeOf, walOf } from "./wal.ts";

/** The first SQLite that tells how much is in the WAL without writing it back (https://sqlite.org/pragma.html#pragma_wal_checkpoint). */
const NOOP_SINCE = [3, 51];
/** Frames that are read at a time. */
const CHUNK_FRAMES = 32;

export class WriteBack {
  readonly #db: Database;
  readonly #pageSize: number;
  readonly #mark: number;
  /** Frames up to the last commit; `undefined` where this SQLite cannot tell, and writes back on its own. */
  readonly #frames: Statement<{ log: number }, []> | undefined;
  readonly #path: string;
  readonly #chunk: Buffer;
  /** Of the WAL, which a new file has only once it was written to. */
  #wal: number | undefined;
  /** `undefined` where they could not be made. */
  readonly #sums: PageSums | undefined;
  /** The WAL holds what an earlier process left. */
  #inherited: boolean;

  /** Of an open log's file, with its sums beside it. What is in the WAL now is written back as what comes. */
  constructor(db: Database, path: string, pageSize: number) {
    this.#db = db;
    this.#pageSize = pageSize;
    this.#mark = checkpointPages(pageSize);
    this.#path = path;
    this.#chunk = Buffer.alloc(CHUNK_FRAMES * (FRAME_HEADER_BYTES + pageSize));
    this.#sums = sumsIfThere(path);
    this.#inherited = sizeOf(walOf(path)) > 0;
    if (knowsNoop(db)) {
      db.run("PRAGMA wal_autocheckpoint = 0");
      this.#frames = db.prepare("PRAGMA wal_checkpoint(NOOP)");
    } else {
      db.run(`PRAGMA wal_autocheckpoint = ${this.#mark}`);
      // They would fit no more: each opening checks the content.
      rmSync(sumsOf(path), { force: true });
    }
  }

  /**
   * To be called before anything is written: what an earlier process left in the WAL goes into the main file. Where a flush of its
   * failed, the cache shows commits that the disk has not, and no flush brings them there any more; whatever was committed behind
   * them would be lost with them (ADR 0014).
   * @throws whatever the storage throws
   */
  rely(): void {
    if (!this.#inherited) return;
    if (this.#frames !== undefined) this.#sum();
    // RESTART: what is written next begins the WAL anew, in the room that it has.
    using restart = this.#db.prepare<{ busy: number; log: number; checkpointed: number }, []>(
      "PRAGMA wal_checkpoint(RESTART)",
    );
    const { busy, log, checkpointed } = restart.get() as { busy: number; log: number; checkpointed: number };
    if (busy !== 0 || checkpointed < log) throw new Error("what is in the WAL could not be written back");
    this.#inherited = false;
  }

  /** To be called after each commit: 1 µs where nothing is to be done. Never throws: what is in the WAL is durable there. */
  committed(): void {
    try {
      if (this.#frames === undefined || this.#count(this.#frames) < this.#mark) return;
      this.#sum();
      this.#db.run("PRAGMA wal_checkpoint(PASSIVE)");
    } catch {
      // The next commit tries again; a disk that is full or broken says so there.
    }
  }

  /** Writes back all, and leaves nothing in the WAL: older copies of pages lie there. @throws SQLiteError */
  empty(): void {
    if (this.#frames !== undefined) this.#sum();
    this.#db.run("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  /** Before the file is closed, because SQLite then writes back whatever is left. */
  close(): void {
    if (this.#frames !== undefined) this.#sum();
    this.#frames?.finalize();
    if (this.#wal !== undefined) closeSync(this.#wal);
    this.#sums?.close();
  }

  #sum(): void {
    if (this.#sums === undefined) return;
    try {
      this.#sumFrames(this.#count(this.#frames as Statement<{ log: number }, []>), this.#sums);
    } catch {
      // Sums that could not be written fit no more, and the next opening checks the content instead.
    }
  }

  #count(frames: Statement<{ log: number }, []>): number {
    return frames.get()?.log ?? 0;
  }

  /** What lies after the last commit is of transactions that failed, and has the same salts. */
  #sumFrames(count: number, sums: PageSums): void {
    if (count <= 0) return;
    this.#wal ??= openSync(walOf(this.#path), "r");
    const header = Buffer.alloc(HEADER_BYTES);
    readSync(this.#wal, header, 0, HEADER_BYTES, 0);
    const frameBytes = FRAME_HEADER_BYTES + this.#pageSize;
    // From the last frame back, because the newest version of a page comes last, and is the only one that counts.
    const seen = new Set<number>();
    for (let end = count; end > 0; ) {
      const many = Math.min(CHUNK_FRAMES, end);
      end -= many;
      const read = readSync(this.#wal, this.#chunk, 0, many * frameBytes, HEADER_BYTES + end * frameBytes);
      if (read < many * frameBytes) throw new Error(`the WAL ends before frame ${end + many}`);
      for (let at = read - frameBytes; at >= 0; at -= frameBytes) {
        const page = this.#chunk.readUInt32BE(at);
        if (seen.has(page)) continue;
        seen.add(page);
        sums.set(page, sumOf(this.#chunk.subarray(at + FRAME_HEADER_BYTES, at + frameBytes), page));
      }
    }
    sums.write(this.#pageSize, count, header.subarray(16, 24));
  }
}

function sumsIfThere(path: string): PageSums | undefined {
  try {
    return new PageSums(path);
  } catch {
    return undefined;
  }
}

function knowsNoop(db: Database): boolean {
  using statement = db.prepare<{ version: string }, []>("SELECT sqlite_version() AS version");
  const [major = 0, minor = 0] = (statement.get()?.version ?? "").split(".").map(Number);
  return major > (NOOP_SINCE[0] as number) || (major === NOOP_SINCE[0] && minor >= (NOOP_SINCE[1] as number));
}
