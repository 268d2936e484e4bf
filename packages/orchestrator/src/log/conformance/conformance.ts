// What every log keeps to, whatever it stands on: the one suite that all implementations run. Only tests import it.

import { describe, expect } from "bun:test";
import type { RowChange } from "../log.ts";
import { describeBlobs } from "./conformance-blobs.ts";
import {
  type Check,
  checkWith,
  collect,
  type Opened,
  put,
  remove,
  row,
  type Skips,
  unless,
} from "./conformance-check.ts";
import { describeEntries } from "./conformance-entries.ts";
import { describeErasing } from "./conformance-erasing.ts";
import { describeRows } from "./conformance-rows.ts";
import { describeTree } from "./conformance-tree.ts";
import { describeTrimming } from "./conformance-trimming.ts";
import { randomFrom } from "./sample.ts";

export type { Opened, Skips } from "./conformance-check.ts";

/** `open` gives a new, empty log at each call; `skips` are the parts that this implementation cannot run, and why. */
export function describeLog(name: string, open: () => Promise<Opened>, skips: Skips = {}): void {
  const check = checkWith(open);
  describeEntries(name, check);
  describeRows(name, check);
  describeTree(name, check, unless(skips.reopen, check));
  describeBlobs(name, check, unless(skips.reopen, check));
  describeErasing(name, check, unless(skips.reopen, check));
  describeTrimming(name, check, unless(skips.reopen, check));
  describeTail(name, check);
  describeOpening(name, check, skips);
}

function describeTail(name: string, check: Check): void {
  describe(`${name}: tail`, () => {
    check("gives the history, then what comes, and ends when aborted", async (log, sample) => {
      await log.append(0, sample.group(300));
      const abort = new AbortController();
      const seen: number[] = [];
      for await (const { seq } of log.tail(2, abort.signal)) {
        seen.push(seq);
        // What a tail itself appends while it has caught up is what comes next.
        if (seq === log.head && seq < 310) await log.append(log.head, sample.group(5));
        if (seq === 310) abort.abort();
      }
      expect(seen).toEqual(Array.from({ length: 309 }, (_, i) => i + 2));
    });

    check("wakes every tail that waits, also for entries that are not there yet", async (log, sample) => {
      const abort = new AbortController();
      const tails = [1, 1, 3].map((from) => log.tail(from, abort.signal)[Symbol.asyncIterator]());
      const next = tails.map((tail) => tail.next());
      await log.append(0, sample.group(2));
      expect((await next[0])?.value?.seq).toBe(1);
      expect((await next[1])?.value?.seq).toBe(1);
      await log.append(2, sample.group(1));
      expect((await next[2])?.value?.seq).toBe(3);
      abort.abort();
    });

    check("ends at an abort while it waits, before it began, and with entries left", async (log, sample) => {
      await log.append(0, sample.group(3));
      const waiting = new AbortController();
      const tail = log.tail(4, waiting.signal)[Symbol.asyncIterator]();
      const next = tail.next();
      waiting.abort();
      expect((await next).done).toBe(true);
      expect(await collect(log.tail(1, AbortSignal.abort()))).toEqual([]);
      const first = new AbortController();
      const seen: number[] = [];
      for await (const { seq } of log.tail(1, first.signal)) {
        seen.push(seq);
        first.abort();
      }
      expect(seen).toEqual([1]);
    });

    check("ends when the log is closed", async (log) => {
      const next = log.tail(1, new AbortController().signal)[Symbol.asyncIterator]().next();
      await log.close();
      expect((await next).done).toBe(true);
    });
  });
}

function describeOpening(name: string, check: Check, skips: Skips): void {
  const checkReopened = unless(skips.reopen, check);

  describe(`${name}: opening`, () => {
    checkReopened("everything is there again", async (log, sample, { reopen }) => {
      const first = [sample.entry({ rows: [put("t", "a", 1), put("t", "b", 2)] }), sample.entry()];
      const second = sample.entry({ rows: [remove("t", "a"), put("u", "🦜", 3)] });
      await log.append(0, first);
      await log.append(2, [second]);
      const before = { read: await log.read(1), lastAt: log.lastAt };
      expect(log.durable).toBe(true);
      const again = await reopen();
      expect([again.head, again.lastAt]).toEqual([3, before.lastAt]);
      expect(await again.read(1)).toEqual(before.read);
      expect(await again.read(3, { reverse: true })).toEqual([...before.read].reverse());
      expect(await again.find(second.id)).toBe(3);
      expect(await collect(again.snapshot(["t", "u"]))).toEqual([row("t", "b", 2), row("u", "🦜", 3)]);
      expect(await again.append(3, sample.group(2))).toEqual({ kind: "ok", head: 5 });
      expect((await (await reopen()).read(1)).length).toBe(5);
    });

    checkReopened("each opening is an epoch more", async (log, _, { reopen }) => {
      expect(log.epoch).toBe(1);
      expect((await reopen()).epoch).toBe(2);
      expect((await reopen()).epoch).toBe(3);
    });

    check("a new log has an id of its own, no entry before its first, no restore and no damage", async (log) => {
      expect(log.id).toMatch(/^l-[0-9A-HJKMNP-TV-Z]{26}$/);
      expect([log.first, log.restorations, log.damage]).toEqual([1, [], undefined]);
    });

    checkReopened("its id is the same at each opening", async (log, _, { reopen }) => {
      expect((await reopen()).id).toBe(log.id);
      expect((await reopen()).id).toBe(log.id);
    });

    check("a log is closed twice as once", async (log) => {
      await log.close();
      await log.close();
    });

    check("a probe writes no entry", async (log, sample) => {
      await log.append(0, sample.group(2));
      const before = [log.head, log.lastAt, log.epoch];
      await log.probe();
      expect([log.head, log.lastAt, log.epoch]).toEqual(before);
      expect(await log.append(2, sample.group(1))).toEqual({ kind: "ok", head: 3 });
    });

    check("two hundred random groups leave what a plain model says", async (log, sample, opened) => {
      const random = randomFrom(7);
      const upTo = (limit: number) => Math.floor(random() * limit);
      const texts: string[] = [];
      const rows = new Map<string, Map<string, string>>([
        ["t", new Map()],
        ["u", new Map()],
      ]);
      let current = log;
      for (let g = 0; g < 200; g++) {
        const group = Array.from({ length: 1 + upTo(9) }, () => {
          const changes: RowChange[] = Array.from({ length: upTo(4) }, () => {
            const table = upTo(2) === 0 ? "t" : "u";
            const key = `k${upTo(40)}`;
            return upTo(3) === 0 ? remove(table, key) : put(table, key, upTo(1e6));
          });
          return sample.entry({ rows: changes, body: "x".repeat(upTo(3000)) });
        });
        await current.append(texts.length, group);
        for (const entry of group) {
          texts.push(entry.text);
          for (const change of entry.rows) {
            if (change.json === undefined) rows.get(change.table)?.delete(change.key);
            else rows.get(change.table)?.set(change.key, change.json);
          }
        }
        if (g % 67 === 66 && skips.reopen === undefined) current = await opened.reopen();
      }
      expect((await current.read(1, { limit: 10_000 })).map((entry) => entry.text)).toEqual(texts);
      for (const [table, expected] of rows) {
        const sorted = [...expected].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, json]) => ({ table, key, json }));
        expect(await current.rows(table)).toEqual(sorted);
        expect(await collect(current.snapshot([table]))).toEqual(sorted);
      }
    });
  });
}
