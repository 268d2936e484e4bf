// One byte of a real log's files changed, again and again. Stock SQLite's export before and after is the ground truth: what
// changes it has to be found by `verify`, and whatever was changed, a node serves what was logged or says that it is damaged.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifyLogFile } from "@capstan/orchestrator";
import { SeededRandom } from "../chaos/seeded-random.ts";
import { BESIDE, copyLog, makeSampleLog } from "./sample-log.ts";
import { type Served, serve, type Truth, truthOf } from "./served.ts";
import { stockExport } from "./stock-export.ts";

export type Target = "main" | "wal" | "checkpoint";
/** Of a hundred flips, those in the main file after a WAL checkpoint, in the WAL, in the checkpoint's file. */
export const SHARES: Readonly<Record<Target, number>> = { main: 60, wal: 30, checkpoint: 10 };
const SUFFIX: Readonly<Record<Target, string>> = { main: "", wal: "-wal", checkpoint: ".checkpoint" };

/** What is switched off to show that its failing would be seen: finding damage at opening, or verification. */
export type Control = "opening" | "verification";

export interface FlipOptions {
  readonly flips: number;
  readonly seed: number;
  readonly entries: number;
  readonly control?: Control;
  readonly onFlip?: (flip: Flip) => void;
}

export interface Flip {
  readonly target: Target;
  readonly at: number;
  readonly mask: number;
  /** Whether stock SQLite exports something else than before. */
  readonly changed: boolean;
  readonly found: boolean;
  readonly served: Served;
  readonly violations: readonly string[];
}

/** A log's files as they were, and what is true of them. */
interface Base {
  readonly path: string;
  readonly truth: Truth;
  readonly exported: string;
}

export async function runFlips(options: FlipOptions): Promise<readonly Flip[]> {
  const directory = mkdtempSync(join(tmpdir(), "capstan-flips-"));
  try {
    const killed = join(directory, "killed.db");
    const { path, key } = await makeSampleLog(directory, {
      ...{ entries: options.entries, seed: options.seed },
      at: { entries: options.entries, call: (path) => copyLog(path, killed) },
    });
    const scratch = join(directory, "scratch.db");
    const closed = await baseOf(path, scratch);
    const bases: Readonly<Record<Target, Base>> = {
      main: closed,
      wal: await baseOf(killed, scratch),
      checkpoint: closed,
    };
    const random = new SeededRandom(options.seed);
    const flips: Flip[] = [];
    while (flips.length < options.flips) {
      const target = pickTarget(random);
      const flip = await flipOnce(bases[target], target, scratch, key, random, options.control);
      flips.push(flip);
      options.onFlip?.(flip);
    }
    return flips;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function baseOf(path: string, scratch: string): Promise<Base> {
  copy(path, scratch);
  const truth = await truthOf(scratch);
  copy(path, scratch);
  return { path, truth, exported: stockExport(scratch) };
}

async function flipOnce(
  base: Base,
  target: Target,
  scratch: string,
  key: string,
  random: SeededRandom,
  control: Control | undefined,
): Promise<Flip> {
  copy(base.path, scratch);
  const file = scratch + SUFFIX[target];
  const bytes = readFileSync(file);
  const at = random.upTo(target === "wal" ? usedOf(bytes) : bytes.length) - 1;
  const mask = random.upTo(255);
  bytes[at] = (bytes[at] as number) ^ mask;
  writeFileSync(file, bytes);
  const found = control !== "verification" && !(await isValid(scratch, key));
  const served = await serve(scratch, base.truth, control === "opening");
  copy(base.path, scratch);
  writeFileSync(file, bytes);
  const changed = stockExport(scratch) !== base.exported;
  return { target, at, mask, changed, found, served, violations: violationsOf(changed, found, served) };
}

function violationsOf(changed: boolean, found: boolean, served: Served): string[] {
  const violations: string[] = [];
  if (changed && !found) violations.push("the export is another, and verification found nothing");
  if (served.kind === "refused") return violations;
  for (const name of served.wrong.slice(0, 3)) violations.push(`${name} was not served as it was logged`);
  return violations;
}

async function isValid(path: string, key: string): Promise<boolean> {
  try {
    return (await verifyLogFile(path, { keys: [key] })).valid;
  } catch {
    // What cannot be verified at all does not verify.
    return false;
  }
}

function pickTarget(random: SeededRandom): Target {
  let share = random.next() * 100;
  for (const target of ["main", "wal"] as const) {
    share -= SHARES[target];
    if (share < 0) return target;
  }
  return "checkpoint";
}

/** The WAL without the room that was made for it. */
function usedOf(wal: Buffer): number {
  const salts = wal.subarray(16, 24);
  const frame = 24 + wal.readUInt32BE(8);
  let at = 32;
  while (at + frame <= wal.length && wal.compare(salts, 0, 8, at + 8, at + 16) === 0) at += frame;
  return at;
}

/** The file and what lies beside it, and nothing of what lay there before. */
function copy(from: string, to: string): void {
  for (const suffix of ["", ...BESIDE, "-shm", ".pid"]) rmSync(to + suffix, { force: true });
  copyLog(from, to);
}
