// What the parts of the conformance suite share: how a check opens a log of its own, and short names for rows.

import { test } from "bun:test";
import type { Log, RowChange, StoredRow } from "../log.ts";
import { sampleMaker } from "./sample.ts";

/** A log that a test has to itself. */
export interface Opened {
  readonly log: Log;
  /** Closes the log and opens the same one again. */
  reopen(): Promise<Log>;
  /** Closes what is open and leaves nothing behind. */
  dispose(): Promise<void>;
}

/** Parts of the suite that an implementation does not run, each with the reason. */
export interface Skips {
  readonly reopen?: string;
}

export type Sample = ReturnType<typeof sampleMaker>;

/** Declares a test that has a new log to itself, closed and gone when it ends. */
export type Check = (behaviour: string, body: (log: Log, sample: Sample, opened: Opened) => Promise<void>) => void;

export function checkWith(open: () => Promise<Opened>): Check {
  return (behaviour, body) =>
    test(behaviour, async () => {
      const opened = await open();
      try {
        await body(opened.log, sampleMaker(), opened);
      } finally {
        await opened.dispose();
      }
    });
}

/** The same check, or where the implementation cannot run it a skip that says why. */
export function unless(reason: string | undefined, check: Check): Check {
  if (reason === undefined) return check;
  // biome-ignore lint/suspicious/noSkippedTests: shown as skipped, with its reason, for this implementation only
  return (behaviour) => test.skip(`${behaviour} (${reason})`, () => {});
}

export function put(table: string, key: string, value: unknown): RowChange {
  return { table, key, json: JSON.stringify(value) };
}

export function remove(table: string, key: string): RowChange {
  return { table, key, json: undefined };
}

export function row(table: string, key: string, value: unknown): StoredRow {
  return { table, key, json: JSON.stringify(value) };
}

export async function collect<T>(items: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
