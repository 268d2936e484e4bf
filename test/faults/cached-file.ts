// One file of a disk with a cache, as a kernel's page cache is one: what was written is seen at once, and on the platter (a
// plain file) only after a flush. It says what a failed flush and a cut of the power leave; it knows no FUSE.

import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";

export const PAGE = 4096;

/**
 * What a failed flush makes of the pages that it should have written. All kernels call them clean afterwards, and never write them
 * again by themselves. `keep`: they are still read as they were written (ext4, XFS). `drop`: the file is what the platter
 * says (Btrfs). `torn`: kept, and some reached the platter. `written`: all of them did, and the error came after.
 */
export const LOSSES = ["keep", "drop", "torn", "written"] as const;
export type Loss = (typeof LOSSES)[number];

interface Page {
  readonly bytes: Buffer;
  dirty: boolean;
}

export class CachedFile {
  /** Pages that are not what the platter says. */
  readonly #pages = new Map<number, Page>();
  readonly #fd: number;
  #size: number;

  constructor(path: string) {
    this.#fd = openSync(path, "r+");
    this.#size = fstatSync(this.#fd).size;
  }

  get size(): number {
    return this.#size;
  }

  read(offset: number, length: number): Buffer {
    const out = Buffer.alloc(Math.max(0, Math.min(length, this.#size - offset)));
    if (out.length === 0) return out;
    readSync(this.#fd, out, 0, out.length, offset);
    for (const [index, { bytes }] of this.#within(offset, out.length)) {
      const start = index * PAGE;
      const from = Math.max(start, offset);
      const to = Math.min(start + PAGE, offset + out.length);
      bytes.copy(out, from - offset, from - start, to - start);
    }
    return out;
  }

  write(offset: number, data: Buffer): void {
    for (let at = 0; at < data.length; ) {
      const position = offset + at;
      const index = Math.floor(position / PAGE);
      const within = position - index * PAGE;
      const count = Math.min(PAGE - within, data.length - at);
      const page = this.#pageFor(index);
      data.copy(page.bytes, within, at, at + count);
      page.dirty = true;
      at += count;
    }
    this.#size = Math.max(this.#size, offset + data.length);
  }

  /** At once and for good, as if the file system's journal had it. */
  truncate(size: number): void {
    for (const index of [...this.#pages.keys()]) if (index * PAGE >= size) this.#pages.delete(index);
    this.#pages.get(Math.floor(size / PAGE))?.bytes.fill(0, size % PAGE);
    ftruncateSync(this.#fd, size);
    this.#size = size;
  }

  /** What is dirty reaches the platter. Pages that an earlier failure called clean do not. */
  flush(): void {
    for (const [index, page] of this.#pages) if (page.dirty) this.#toPlatter(index, page);
    this.#grow();
  }

  /** A flush that fails. */
  lose(how: Loss, random: () => number): void {
    if (how === "written") {
      this.flush();
      return;
    }
    for (const [index, page] of this.#pages) {
      if (!page.dirty) continue;
      if (how === "drop") this.#pages.delete(index);
      else if (how === "torn" && random() < 0.5) this.#toPlatter(index, page);
      else page.dirty = false;
    }
    if (how === "drop") this.#size = fstatSync(this.#fd).size;
  }

  /** The process died and the machine did not: everything that is seen stays. */
  settle(): void {
    for (const [index, page] of this.#pages) this.#toPlatter(index, page);
    this.#grow();
  }

  /** The power is cut. Of what was not flushed, any pages may have reached the platter by themselves, or none. */
  cut(random: (() => number) | undefined): void {
    for (const [index, page] of this.#pages) {
      if (page.dirty && random !== undefined && random() < 0.5) this.#toPlatter(index, page);
    }
    this.#pages.clear();
    this.#size = fstatSync(this.#fd).size;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #pageFor(index: number): Page {
    const known = this.#pages.get(index);
    if (known !== undefined) return known;
    const page = { bytes: Buffer.alloc(PAGE), dirty: false };
    readSync(this.#fd, page.bytes, 0, PAGE, index * PAGE);
    this.#pages.set(index, page);
    return page;
  }

  #toPlatter(index: number, { bytes }: Page): void {
    const start = index * PAGE;
    writeSync(this.#fd, bytes, 0, Math.max(0, Math.min(PAGE, this.#size - start)), start);
    this.#pages.delete(index);
  }

  #grow(): void {
    if (fstatSync(this.#fd).size < this.#size) ftruncateSync(this.#fd, this.#size);
  }

  *#within(offset: number, length: number): Generator<[number, Page], void, void> {
    const last = Math.floor((offset + length - 1) / PAGE);
    for (let index = Math.floor(offset / PAGE); index <= last; index++) {
      const page = this.#pages.get(index);
      if (page !== undefined) yield [index, page];
    }
  }
}
