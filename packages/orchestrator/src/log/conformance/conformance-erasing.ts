// The part of the conformance suite on erasing: a part is gone, and all that was proved still is.

import { describe, expect } from "bun:test";
import { decodeEntry } from "../entry.ts";
import type { Log, NewEntry } from "../log.ts";
import type { Part } from "../part.ts";
import { blobIn, long } from "./conformance-blobs.ts";
import { type Check, put, type Sample } from "./conformance-check.ts";
import { filledTo, hexOf, rootOver } from "./conformance-tree.ts";

const four = { b: '{"data":"secret"}', f: '{"f":"secret"}', r: '[["t","k"]]', t: '{"verdicts":[]}' };

async function kept(log: Log, seq: number): Promise<string> {
  const [entry] = await log.read(seq, { limit: 1 });
  return (entry?.text ?? "")
    .split("\n")
    .slice(1)
    .map((line) => line[0])
    .join("");
}

function erasing(sample: Sample, seq: number, parts: readonly Part[]): NewEntry {
  return sample.entry({ parts: { b: "{}" }, erases: [{ seq, parts }] });
}

export function describeErasing(name: string, check: Check, checkReopened: Check): void {
  describe(`${name}: erasing`, () => {
    for (const parts of [["b"], ["t"], ["f", "r"], ["b", "f", "r", "t"]] as const) {
      check(`parts ${parts.join(", ")} leaves every other, the header, and every other entry`, async (log, sample) => {
        const group = [sample.entry({ parts: four }), sample.entry({ parts: four }), sample.entry({ parts: four })];
        await log.append(0, group);
        await log.append(3, [erasing(sample, 2, parts)]);
        const [first, second, third] = await log.read(1, { limit: 3 });
        expect([first?.text, third?.text]).toEqual([group[0]?.text, group[2]?.text]);
        const was = group[1]?.text.split("\n") ?? [];
        expect(second?.text).toBe(was.filter((line, i) => i === 0 || !parts.includes(line[0] as never)).join("\n"));
        const decoded = decodeEntry(second as NonNullable<typeof second>);
        for (const part of parts) expect(decoded.stored(part)).toEqual({ kind: "erased" });
        expect(await log.find(decoded.header.id)).toBe(2);
      });
    }

    check("of an older group, of the group before, and of the same group", async (log, sample) => {
      for (let g = 0; g < 4; g++)
        await log.append(log.head, [sample.entry({ parts: four }), sample.entry({ parts: four })]);
      await log.read(1);
      await log.append(8, [sample.entry({ parts: four }), erasing(sample, 1, ["b"]), erasing(sample, 8, ["f"])]);
      await log.append(11, [sample.entry({ parts: four }), erasing(sample, 12, ["r"]), erasing(sample, 9, ["t"])]);
      const parts = await Promise.all([1, 2, 8, 9, 10, 12].map((seq) => kept(log, seq)));
      expect(parts).toEqual(["frt", "bfrt", "brt", "bfr", "b", "bft"]);
    });

    check("what is not there changes nothing: no such part, no such entry, erased before", async (log, sample) => {
      await log.append(0, [sample.entry({ parts: { b: "{}" } }), sample.entry()]);
      const before = await log.read(1);
      await log.append(2, [
        erasing(sample, 1, ["f", "r"]),
        erasing(sample, 2, ["b", "t"]),
        erasing(sample, 0, ["b"]),
        erasing(sample, 99, ["b"]),
        erasing(sample, 1, []),
      ]);
      expect((await log.read(1, { limit: 2 })).map(({ text }) => text)).toEqual(before.map(({ text }) => text));
      for (let i = 0; i < 2; i++) await log.append(log.head, [erasing(sample, 1, ["b"])]);
      expect(await kept(log, 1)).toBe("");
    });

    check("changes no leaf, so that every root is the same", async (log, sample) => {
      const entries = await filledTo(log, sample, 300);
      const eraser = erasing(sample, 290, ["b"]);
      await log.append(300, [eraser, erasing(sample, 5, ["b", "t"])]);
      expect(hexOf(await log.tree.root(300))).toBe(rootOver(entries));
      expect(hexOf(await log.tree.root(301))).toBe(rootOver([...entries, eraser]));
    });

    checkReopened("is still so at the next opening, the tree and the finding too", async (log, sample, { reopen }) => {
      const entries = await filledTo(log, sample, 300);
      await log.append(300, [erasing(sample, 290, ["b"]), erasing(sample, 5, ["b", "t"])]);
      const root = hexOf(await log.tree.root());
      const again = await reopen();
      expect([await kept(again, 290), await kept(again, 5), hexOf(await again.tree.root())]).toEqual(["t", "", root]);
      expect(await again.find(entries[289]?.id as string)).toBe(290);
      expect(await again.append(302, sample.group(1))).toEqual({ kind: "ok", head: 303 });
    });

    check("a part that is a blob gives it back, once nothing names it any more", async (log, sample) => {
      const [one, two] = [long("one"), long("two")];
      const both = sample.entry({ parts: { b: one, t: one } });
      await log.append(0, [both, sample.entry({ parts: { b: one, r: two } })]);
      const other = { name: sample.entry({ parts: { b: two } }).blobs?.[0]?.name as string };
      const { name } = blobIn(both);
      await log.append(2, [erasing(sample, 1, ["b"])]);
      expect(await log.blob(name)).toBe(one);
      await log.append(3, [erasing(sample, 1, ["b", "t"])]);
      expect(await log.blob(name)).toBe(one);
      await log.append(4, [erasing(sample, 2, ["b"])]);
      expect([await log.blob(name), await log.blob(other.name)]).toEqual([undefined, two]);
      // It can come again.
      await log.append(5, [sample.entry({ parts: { f: one } })]);
      expect(await log.blob(name)).toBe(one);
    });

    check("in a group that is refused erases nothing", async (log, sample) => {
      const entry = sample.entry({ parts: { b: long("x"), t: "{}" } });
      await log.append(0, [entry]);
      const refused = [erasing(sample, 1, ["b", "t"]), { ...sample.entry(), text: "\0" }];
      await expect((async () => log.append(1, refused))()).rejects.toThrow();
      expect((await log.append(0, [erasing(sample, 1, ["b"])])).kind).toBe("conflict");
      expect((await log.read(1))[0]?.text).toBe(entry.text);
      expect(await log.blob(blobIn(entry).name)).toBe(blobIn(entry).text);
    });

    check("leaves the rows that its group wrote", async (log, sample) => {
      await log.append(0, [sample.entry({ parts: four, rows: [put("t", "a", 1)] })]);
      await log.append(1, [{ ...erasing(sample, 1, ["b"]), rows: [put("t", "b", 2)] }]);
      expect((await log.rows("t")).map(({ key }) => key)).toEqual(["a", "b"]);
    });
  });
}
