// The figures of the log: appending with all that makes it provable, against bare inserts of the same texts. Goals: issue 3,
// "Must show" 6.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { type NewEntry, sqliteLog } from "@capstan/orchestrator";
import type { Figure } from "../kernel/figures.ts";
import { cpuMicros, diskDirectory } from "../kernel/machine.ts";
import { alternate, median, type Side } from "../kernel/rounds.ts";
import { BareLog } from "./bare.ts";
import { entriesFrom } from "./entries.ts";

interface Append {
  readonly name: string;
  readonly what: string;
  readonly goal: string;
  readonly group: number;
  readonly rows: boolean;
}

const appends: readonly Append[] = [
  {
    name: "append/256",
    what: "groups of 256 entries of about 1 kB, against bare inserts of the same texts in transactions of 256",
    goal: "ratio ≥ 0.8",
    group: 256,
    rows: false,
  },
  {
    name: "append/256+rows",
    what: "the same with two rows an entry, one of them new, against bare inserts of both",
    goal: "",
    group: 256,
    rows: true,
  },
  {
    name: "append/64",
    what: "groups of 64",
    goal: "",
    group: 64,
    rows: false,
  },
];

export const appendNames: readonly string[] = appends.map(({ name }) => name);

/** Entries a side of a round: some thirty megabytes, so that both write back what the WAL gathered several times. */
const ROUND_ENTRIES = 30_720;
const WARM_UPS = 2;

export async function* measureAppends(names: readonly string[], rounds: number): AsyncGenerator<Figure, void, void> {
  for (const append of appends) if (names.includes(append.name)) yield await measure(append, rounds);
}

async function measure({ name, what, goal, group, rows }: Append, wanted: number): Promise<Figure> {
  const directory = diskDirectory();
  const log = sqliteLog(join(directory, "log.db"));
  const bare = new BareLog(join(directory, "bare.db"));
  try {
    const ours = side(group, rows, (entries) => void log.append(log.head, entries));
    const anchor = side(group, rows, (entries) => bare.append(entries));
    for (let i = 0; i < WARM_UPS; i++) {
      await ours();
      await anchor();
    }
    const measured = await alternate(wanted, ours, anchor);
    const cpu = (sides: readonly Side[]) => ({ server: median(sides.map((one) => one.cpu.server)), client: 0 });
    return {
      ...{ name, what, goal, unit: "entries/s" },
      ours: median(measured.ours.map(({ value }) => value)),
      anchor: median(measured.anchor.map(({ value }) => value)),
      ratio: median(measured.ours.map(({ value }, i) => value / (measured.anchor[i] as Side).value)),
      rounds: measured.ours.length,
      rejected: measured.rejected,
      disturbed: measured.disturbed,
      cpu: { ours: cpu(measured.ours), anchor: cpu(measured.anchor) },
    };
  } finally {
    await log.close();
    bare.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Appends groups as a node does, each when it was just made; only the appending is measured. Goes on where it stopped before. */
function side(group: number, rows: boolean, append: (entries: readonly NewEntry[]) => void): () => Promise<Side> {
  let next = 0;
  return async () => {
    const before = cpuMicros();
    let ms = 0;
    let cpu = 0;
    for (let made = 0; made < ROUND_ENTRIES; made += group, next += group) {
      const entries = entriesFrom(next, group, rows);
      const cpuStart = cpuMicros();
      const start = performance.now();
      append(entries);
      ms += performance.now() - start;
      cpu += cpuMicros() - cpuStart;
    }
    return {
      value: (ROUND_ENTRIES / ms) * 1000,
      cpu: { server: cpu / ROUND_ENTRIES, client: 0 },
      used: cpuMicros() - before,
    };
  };
}
