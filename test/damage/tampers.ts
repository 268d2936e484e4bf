// A real log tampered with, again and again, by somebody who may write all of its files and has no key. An auditor kept the last
// checkpoint and the node's verifier key: with these every tamper is found, but for those in the window after that checkpoint.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CompactRange,
  formatCheckpoint,
  openNode,
  openNote,
  parseCheckpoint,
  signNote,
  type VerifyOptions,
  verifyLogFile,
} from "@capstan/orchestrator";
import { SeededRandom } from "../chaos/seeded-random.ts";
import { Forger } from "./forge.ts";
import { BESIDE, copyLog, makeSampleLog } from "./sample-log.ts";
import { type Ground, TAMPERS, type Tamper, WINDOW_TAMPERS } from "./tamper-kinds.ts";

export interface TamperOptions {
  readonly tampers: number;
  readonly seed: number;
  readonly entries: number;
  /** Shows that a tamper that is not found is seen: the auditor has kept nothing and has no key. */
  readonly control?: boolean;
  readonly onTamper?: (tampered: Tampered) => void;
}

export interface Tampered {
  readonly kind: string;
  readonly what: string;
  /** Whether it lies after the last checkpoint. */
  readonly window: boolean;
  readonly found: boolean;
  /** What was said of it first. */
  readonly said: string;
}

export interface TamperRun {
  readonly tampered: readonly Tampered[];
  /** Entries that the checkpoint covers, and entries that there are. */
  readonly covered: number;
  readonly head: number;
}

/** Of so many tampers one is in the window. */
const WINDOW_SHARE = 50;
/** Entries after the last checkpoint. */
const WINDOW_ENTRIES = 20;

export async function runTampers({ tampers, seed, entries, control, onTamper }: TamperOptions): Promise<TamperRun> {
  const directory = mkdtempSync(join(tmpdir(), "capstan-tampers-"));
  try {
    const older = join(directory, "older.db");
    const log = await makeSampleLog(directory, {
      ...{ entries, seed, keptAt: entries - WINDOW_ENTRIES },
      at: { entries: Math.floor(entries / 2), call: (path) => copyLog(path, older) },
    });
    const path = join(directory, "scratch.db");
    const covered = parseCheckpoint(openNote(log.kept).text).size;
    copyFresh(log.path, path);
    const head = headOf(path);
    const own = (await openNode({ directory: join(directory, "mallory") })).signer;
    const random = new SeededRandom(seed);
    const kinds = Object.entries(TAMPERS);
    const audit = control ? {} : { checkpoint: log.kept, keys: [log.key] };
    await checkForger(path, audit);
    const tampered: Tampered[] = [];
    while (tampered.length < tampers) {
      copyFresh(log.path, path);
      const window = tampered.length % WINDOW_SHARE === WINDOW_SHARE - 1;
      const [kind, tamper] = window
        ? random.pick(Object.entries(WINDOW_TAMPERS))
        : (kinds[tampered.length % kinds.length] as [string, Tamper]);
      const ground: Ground = { path, older, covered, head, random, sign: (file) => signOwn(file, own) };
      const what = await tamper(ground);
      const { valid, problems } = await verifyLogFile(path, audit);
      const [first] = problems;
      const said = first === undefined ? "" : `${first.where}: ${first.what}`;
      const one = { kind, what, window, found: !valid, said };
      tampered.push(one);
      onTamper?.(one);
    }
    return { tampered, covered, head };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What is made anew with nothing changed has to verify: else tampers would be found for how they were made. */
async function checkForger(path: string, audit: VerifyOptions): Promise<void> {
  new Forger(path).finish();
  const { valid, problems } = await verifyLogFile(path, audit);
  if (!valid) throw new Error(`the forger is found without forging: ${problems[0]?.where}: ${problems[0]?.what}`);
}

/** A checkpoint of the file as it is, signed by somebody else's key. */
async function signOwn(path: string, signer: Awaited<ReturnType<typeof openNode>>["signer"]): Promise<void> {
  const forger = new Forger(path);
  const range = new CompactRange();
  for (const leaf of forger.leaves()) range.append(leaf);
  const values = forger.db.query("SELECT name, value FROM meta").all() as { name: string; value: string | number }[];
  forger.close();
  const value = (name: string): string | number => values.find((one) => one.name === name)?.value ?? 0;
  const text = formatCheckpoint({
    ...{ log: String(value("log")), size: range.size, root: range.root(), epoch: Number(value("epoch")) },
    at: Date.now(),
  });
  writeFileSync(`${path}.checkpoint`, await signNote(text, signer));
}

function headOf(path: string): number {
  const forger = new Forger(path);
  forger.close();
  return forger.entries.length;
}

function copyFresh(from: string, to: string): void {
  for (const suffix of ["", ...BESIDE, "-shm"]) rmSync(to + suffix, { force: true });
  copyLog(from, to);
}
