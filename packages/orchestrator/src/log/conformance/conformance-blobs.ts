// The part of the conformance suite on blobs: parts that are kept beside their entries.

import { describe, expect } from "bun:test";
import { LONGEST_INLINE } from "../entry.ts";
import type { NewEntry } from "../log.ts";
import { type Check, put } from "./conformance-check.ts";

/** JSON that is too long to be kept in an entry. */
export function long(content: string): string {
  return JSON.stringify({ data: content.repeat(Math.ceil(LONGEST_INLINE / content.length)) });
}

export function blobIn(entry: NewEntry): { readonly name: string; readonly text: string } {
  const blob = entry.blobs?.[0];
  if (blob === undefined) throw new Error("the sample has no blob");
  return blob;
}

export function describeBlobs(name: string, check: Check, checkReopened: Check): void {
  describe(`${name}: blobs`, () => {
    checkReopened("are there again at the next opening", async (log, sample, { reopen }) => {
      const entry = sample.entry({ parts: { b: long("é🦜") } });
      await log.append(0, [entry]);
      expect(await (await reopen()).blob(blobIn(entry).name)).toBe(blobIn(entry).text);
    });

    check("come back by name, any characters and a megabyte of them", async (log, sample) => {
      const entry = sample.entry({ parts: { b: long("é日本🦜"), t: long("x".repeat(1_000_000)) } });
      await log.append(0, [entry, sample.entry()]);
      expect(entry.blobs?.length).toBe(2);
      for (const { name, text } of entry.blobs ?? []) expect((await log.blob(name)) === text).toBe(true);
      expect((await log.read(1, { limit: 1 }))[0]?.text).toBe(entry.text);
    });

    check("that there are not are undefined, whatever they are called", async (log) => {
      for (const name of [`sha256-${"0".repeat(64)}`, "", "é"]) expect(await log.blob(name)).toBeUndefined();
    });

    check("of a group that conflicts or is refused are not kept", async (log, sample) => {
      await log.append(0, sample.group(1));
      const entry = sample.entry({ parts: { b: long("x") } });
      expect((await log.append(0, [entry])).kind).toBe("conflict");
      expect(await log.blob(blobIn(entry).name)).toBeUndefined();
      const refused = [entry, { ...sample.entry(), text: "\0" }];
      await expect((async () => log.append(1, refused))()).rejects.toThrow();
      expect(await log.blob(blobIn(entry).name)).toBeUndefined();
    });

    check("that an entry names must be given or be there: else the group is refused whole", async (log, sample) => {
      const other = sample.entry({ parts: { b: long("y") } });
      const entry = sample.entry({ parts: { b: long("x") }, rows: [put("t", "lost", 1)] });
      const wrong = { ...entry, blobs: [blobIn(other)] };
      await expect((async () => log.append(0, [other, wrong]))()).rejects.toThrow(blobIn(entry).name);
      expect([log.head, await log.row("t", "lost"), await log.blob(blobIn(other).name)]).toEqual([
        0,
        undefined,
        undefined,
      ]);
      expect(log.tree.size).toBe(0);
      expect(await log.append(0, [other, entry])).toEqual({ kind: "ok", head: 2 });
    });
  });
}
