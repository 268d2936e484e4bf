// The part of the conformance suite on entries: appending, reading and finding them.

import { describe, expect } from "bun:test";
import type { Log, NewEntry, StoredEntry } from "../log.ts";
import { FIND_WINDOW } from "../sqlite/find-window.ts";
import { type Check, collect, put, type Sample } from "./conformance-check.ts";
import { T0 } from "./sample.ts";

export function describeEntries(name: string, check: Check): void {
  describe(`${name}: append`, () => {
    check("a new log is empty", async (log) => {
      expect(log.head).toBe(0);
      expect(log.lastAt).toBe(0);
      expect(await log.read(1)).toEqual([]);
      expect(await collect(log.snapshot(["t"]))).toEqual([]);
    });

    check("entries are numbered from 1 without a gap, across groups", async (log, sample) => {
      const texts: string[] = [];
      for (const size of [1, 3, 1, 64, 2]) {
        const group = sample.group(size);
        texts.push(...group.map((entry) => entry.text));
        expect(await log.append(log.head, group)).toEqual({ kind: "ok", head: texts.length });
        expect(log.head).toBe(texts.length);
      }
      expect(await log.read(1)).toEqual(texts.map((text, i) => ({ seq: i + 1, text })));
    });

    check("lastAt is the last entry's", async (log, sample) => {
      await log.append(0, [sample.entry({ at: T0 + 5 }), sample.entry({ at: T0 + 9 })]);
      expect(log.lastAt).toBe(T0 + 9);
      await log.append(2, [sample.entry({ at: T0 + 9 })]);
      expect(log.lastAt).toBe(T0 + 9);
    });

    check("another head than expected is a conflict, and nothing is appended", async (log, sample) => {
      await log.append(0, sample.group(2));
      for (const wrong of [0, 1, 3]) {
        const refused = sample.entry({ rows: [put("t", "k", 1)] });
        expect(await log.append(wrong, [refused])).toEqual({ kind: "conflict", head: 2 });
        expect(await log.find(refused.id)).toBeUndefined();
      }
      expect(await log.read(3)).toEqual([]);
      expect(await log.row("t", "k")).toBeUndefined();
    });

    check("no entries are appended as nothing, and still conflict", async (log, sample) => {
      await log.append(0, sample.group(1));
      expect(await log.append(1, [])).toEqual({ kind: "ok", head: 1 });
      expect(await log.append(0, [])).toEqual({ kind: "conflict", head: 1 });
    });

    for (const [what, spoil] of [
      ["contains U+0000", (entry: NewEntry) => ({ ...entry, text: `${entry.text}\0` })],
      ["is of before the entry before it", (entry: NewEntry) => ({ ...entry, at: T0 - 1 })],
    ] as const) {
      check(`a group with an entry that ${what} is refused whole, and later groups are taken`, async (log, sample) => {
        const good = sample.entry({ at: T0, rows: [put("t", "kept", 1)] });
        await log.append(0, [good]);
        const group = [sample.entry({ at: T0, rows: [put("t", "lost", 1)] }), spoil(sample.entry({ at: T0 }))];
        await expect((async () => log.append(1, group))()).rejects.toThrow();
        expect([log.head, log.lastAt]).toEqual([1, T0]);
        expect(await log.row("t", "lost")).toBeUndefined();
        expect(await log.find((group[0] as NewEntry).id)).toBeUndefined();
        expect(await log.append(1, sample.group(2))).toEqual({ kind: "ok", head: 3 });
      });
    }

    check("text comes back as it was given: any script, line ends, a BOM, nothing at all", async (log, sample) => {
      const texts = ["", "\ufeffBOM", "Zoë 日本語 🦜 \u202e\uffff", "a\r\nb\n", '{"id":"', "\u0001\u001f\u007f"];
      await log.append(
        0,
        texts.map((text) => ({ ...sample.entry(), text })),
      );
      await log.append(texts.length, sample.group(1));
      expect((await log.read(1, { limit: texts.length })).map((entry) => entry.text)).toEqual(texts);
    });

    check("an entry of 1 MB keeps every character, alone and in a group", async (log, sample) => {
      const big = sample.entry({ body: "€".repeat(350_000), rows: [put("t", "big", "x".repeat(1_000_000))] });
      await log.append(0, [big]);
      await log.append(1, [sample.entry(), { ...sample.entry(), text: big.text }, sample.entry()]);
      expect((await log.read(1))[0]?.text === big.text).toBe(true);
      expect((await log.read(3))[0]?.text === big.text).toBe(true);
      expect((await log.row("t", "big"))?.length).toBe(1_000_002);
    });
  });

  describe(`${name}: read`, () => {
    const filled = async (log: Log, sample: Sample) => {
      for (const size of [4, 1, 1, 4]) await log.append(log.head, sample.group(size));
    };
    const sequences = (entries: readonly StoredEntry[]) => entries.map((entry) => entry.seq);

    for (const [from, options, expected] of [
      [1, {}, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
      [3, { limit: 4 }, [3, 4, 5, 6]],
      [9, { limit: 4 }, [9, 10]],
      [-3, { limit: 2 }, [1, 2]],
      [11, {}, []],
      [5, { limit: 0 }, []],
      [10, { reverse: true }, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]],
      [8, { reverse: true, limit: 4 }, [8, 7, 6, 5]],
      [2, { reverse: true, limit: 4 }, [2, 1]],
      [99, { reverse: true, limit: 2 }, [10, 9]],
      [0, { reverse: true }, []],
      [5, { reverse: true, limit: 0 }, []],
    ] as const) {
      check(`of ten, from ${from} ${JSON.stringify(options)} gives [${expected}]`, async (log, sample) => {
        await filled(log, sample);
        expect(sequences(await log.read(from, options))).toEqual([...expected]);
      });
    }

    check("gives at most 1,000 entries unless told", async (log, sample) => {
      for (let i = 0; i < 11; i++) await log.append(log.head, sample.group(100));
      expect((await log.read(1)).length).toBe(1000);
      expect((await log.read(1100, { reverse: true })).length).toBe(1000);
      expect((await log.read(1, { limit: 2000 })).length).toBe(1100);
    });

    check("old groups and the newest can be read in turns", async (log, sample) => {
      await filled(log, sample);
      for (const seq of [10, 1, 5, 10, 6, 2, 9]) {
        expect(sequences(await log.read(seq, { limit: 1 }))).toEqual([seq]);
      }
    });
  });

  describe(`${name}: find`, () => {
    check("finds each id of many groups, and of many within one millisecond", async (log, sample) => {
      const entries: NewEntry[] = [];
      for (let g = 0; g < 60; g++) {
        const at = T0 + Math.floor(g / 20) * 7;
        const group = Array.from({ length: (g % 5) + 1 }, () => sample.entry({ at }));
        await log.append(log.head, group);
        entries.push(...group);
      }
      for (const [i, entry] of entries.entries()) expect(await log.find(entry.id)).toBe(i + 1);
    });

    for (const waited of [1, 999, 1000, 1001, 59_999, FIND_WINDOW]) {
      check(`finds an entry that waited ${waited} ms between its id and its commit`, async (log, sample) => {
        const late = sample.entry({ at: T0 + 10, committedAt: T0 + 10 + waited });
        for (let at = T0; at < late.at; at += 400) await log.append(log.head, [sample.entry({ at })]);
        // The rest of its group came later still.
        await log.append(log.head, [sample.entry({ at: late.at }), late, sample.entry({ at: late.at + 5000 })]);
        expect(await log.find(late.id)).toBe(log.head - 1);
      });
    }

    for (const waited of [0, 999, 1000, 1001, FIND_WINDOW]) {
      check(`finds an entry that waited ${waited} ms and was committed alone`, async (log, sample) => {
        for (let at = T0; at < T0 + waited; at += 400) await log.append(log.head, [sample.entry({ at })]);
        const late = sample.entry({ at: T0, committedAt: T0 + waited });
        await log.append(log.head, [late]);
        expect(await log.find(late.id)).toBe(log.head);
      });
    }

    check("gives undefined for an id that is absent, before, between and after what is there", async (log, sample) => {
      for (const at of [T0, T0 + 50_000, T0 + 90_000]) await log.append(log.head, [sample.entry({ at })]);
      for (const at of [T0 - 1_000_000, T0 - 1, T0, T0 + 1, T0 + 50_000, T0 + 90_000, T0 + 9_000_000]) {
        expect(await log.find(sample.entry({ at }).id)).toBeUndefined();
      }
    });

    check("gives undefined for what is no id of ours", async (log, sample) => {
      const entry = sample.entry();
      await log.append(0, [entry]);
      const { id } = entry;
      for (const foreign of [
        "",
        "m-",
        "m",
        id.slice(0, -1),
        `${id}0`,
        id.slice(2),
        `x${id.slice(1)}`,
        `${id}"`,
        "é-💥",
      ]) {
        expect(await log.find(foreign)).toBeUndefined();
      }
    });

    check("an id in another entry's text is not that entry", async (log, sample) => {
      const cause = sample.entry({ at: T0 });
      const mention = () => ({
        ...sample.entry({ at: T0 }),
        text: `{"id":"m"}\n{"id":"${cause.id}"}{"id":"${cause.id}"`,
      });
      await log.append(0, [mention()]);
      expect(await log.find(cause.id)).toBeUndefined();
      await log.append(1, [mention(), mention(), cause]);
      expect(await log.find(cause.id)).toBe(4);
    });
  });
}
