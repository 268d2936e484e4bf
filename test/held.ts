// Loaded before every test: holds each worker's event loop open, puts what tests write into memory, and has programs speak in no
// language.

import { mkdtempSync, readdirSync, rmSync, statfsSync } from "node:fs";

// Where a test waits for what keeps no process alive (a child or a timer after `unref`),
// `bun test` turns its loop in circles instead of sleeping, a core for as long as the wait.
setInterval(() => {}, 2 ** 30);

// Tests know what programs say; and bash warns of a locale that is not installed.
process.env.LC_ALL = "C";

// Logs flush at each append, and no test cuts the power: on a disk they would wait for each other's flushes, in memory nobody
// waits. What needs a disk that fails brings its own (test/faults). Whoever sets TMPDIR decides.
const MEMORY = "/dev/shm";
const ENOUGH_BYTES = 2 ** 31;

function free(): number {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize;
  } catch {
    return 0; // there is none, as on macOS
  }
}

function ended(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (thrown) {
    return (thrown as { code?: string }).code === "ESRCH";
  }
}

if (process.env.TMPDIR === undefined && free() >= ENOUGH_BYTES) {
  for (const name of readdirSync(MEMORY)) {
    const pid = /^capstan-(\d+)\b/.exec(name)?.[1];
    if (pid !== undefined && ended(Number(pid))) forget(`${MEMORY}/${name}`);
  }
  process.env.TMPDIR = mkdtempSync(`${MEMORY}/capstan-${process.pid}-`);
}

/** What a test left whose run was killed would take memory for good. */
function forget(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch {
    // It is another user's, or another worker forgets it too.
  }
}
