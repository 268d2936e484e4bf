// Writes the WAL's pages back into the main file (SQLite calls that a checkpoint): at the commit that passes CHECKPOINT_BYTES,
// and at closing. Not left to SQLite, because the page sums have to be durable before (page-sums.ts).

import type { Database, Statement } from "bun:sqlite";
import { closeSync, openSync, readSync, rmSync } from "node:fs";
import { PageSums, sumOf, sumsOf } from "./page-sums.ts";
import { checkpointPages, FRAME_HEADER_BYTES, HEADER_BYTES, sizeOf, walOf } from "./wal.ts";

/** The first SQLite version that can report the WAL's size without writing it back (https://sqlite.org/pragma.html#pragma_wal_checkpoint). */
const NOOP_SINCE = [3, 51];
/** How many frames are read at a time. */
const CHUNK_FRAMES = 32;

export class WriteBack {
  readonly #db: Database;
  readonly #pageSize: number;
  readonly #mark: number;
  /** Counts the frames up to the last commit; `undefined` where this SQLite cannot, and writes back on its own. */
  readonly #frames: Statement<{ log: number }, []> | undefined;
  readonly #path: string;
  readonly #chunk: Buffer;
  /** A descriptor of the WAL, opened when first needed: a new log has no WAL before its first write. */
  #wal: number | undefined;
  /** `undefined` where there are no page sums. */
  readonly #sums: PageSums | undefined;
  /** The WAL still has frames of an earlier process. */
  #inherited: boolean;

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
      // Page sums would become wrong; without them each opening checks the content.
      rmSync(sumsOf(path), { force: true });
    }
  }

  /**
   * Call this before the first write: it writes an earlier process's WAL back into the main file. If a flush of that process had
   * failed, the page cache has commits that are not on the disk, and that no later flush writes; commits after
   * them would be lost with them (ADR 0014).
   * @throws whatever the storage throws
   */
  rely(): void {
    if (!this.#inherited) return;
    if (this.#frames !== undefined) this.#sum();
    // RESTART: the next write begins at the WAL's start, in its preallocated space.
    using restart = this.#db.prepare<{ busy: number; log: number; checkpointed: number }, []>(
      "PRAGMA wal_checkpoint(RESTART)",
    );
    const { busy, log, checkpointed } = restart.get() as { busy: number; log: number; checkpointed: number };
    if (busy !== 0 || checkpointed < log) throw new Error("what is in the WAL could not be written back");
    this.#inherited = false;
  }

  /** Call this after each commit: 1 µs where nothing is to be done. Never throws: the commit is durable in the WAL. */
  committed(): void {
    try {
      if (this.#frames === undefined || this.#count(this.#frames) < this.#mark) return;
      this.#sum();
      this.#db.run("PRAGMA wal_checkpoint(PASSIVE)");
    } catch {
      // The next commit tries again, and fails itself if the disk is full or broken.
    }
  }

  /** Writes everything back and empties the WAL, which has older copies of pages. @throws SQLiteError */
  empty(): void {
    if (this.#frames !== undefined) this.#sum();
    this.#db.run("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  /** Call this before the database is closed, because SQLite then writes the rest back. */
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
      // The stored sums are wrong then, and the next opening checks the content instead.
    }
  }

  #count(frames: Statement<{ log: number }, []>): number {
    return frames.get()?.log ?? 0;
  }

  /** Computes the sums of the first `count` frames' pages. Later frames are of failed transactions. */
  #sumFrames(count: number, sums: PageSums): void {
    if (count <= 0) return;
    this.#wal ??= openSync(walOf(this.#path), "r");
    const header = Buffer.alloc(HEADER_BYTES);
    readSync(this.#wal, header, 0, HEADER_BYTES, 0);
    const frameBytes = FRAME_HEADER_BYTES + this.#pageSize;
    // From the last frame backwards: only the newest version of a page counts, and that comes last.
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
