// What a witness keeps in files: as it was after any start, nothing of it where somebody changed it, and on the disk before a cosignature is.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EMPTY_LEAVES, Kept, NODE } from "./kept.fixture.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "capstan-held-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const kept = () => new Kept(directory);
const file = (end: string) => join(directory, "witness", `${NODE}.${end}`);

test("what was kept is held after a start, leaves and all", async () => {
  const one = kept();
  await one.keep(5);
  await one.keep(9);
  await one.keep(9);
  const { held, damaged } = await kept().opened();
  expect(held?.checkpoint.size).toBe(9);
  expect(held?.leaves?.root(9)).toEqual(one.root(9));
  expect(damaged).toEqual([]);
  expect(readdirSync(join(directory, "witness")).sort()).toEqual([`${NODE}.checkpoint`, `${NODE}.leaves`]);
  expect(readFileSync(file("leaves"))).toHaveLength(EMPTY_LEAVES + 9 * 32);
});

test("what is held of a log is not lost to another node that says that the log is its own", async () => {
  const one = kept();
  await one.keep(5);
  await one.keep(9, { from: 2, node: "n-2" });
  const { held, logs } = await kept().opened();
  expect(held?.leaves?.root(5)).toEqual(one.root(5));
  expect(logs.of("n-2")?.leaves?.root(9)).toEqual(one.root(9, { from: 2 }));
  expect(logs.byLog(Kept.LOG).map(({ node }) => node)).toEqual([NODE, "n-2"]);
});

test("after a restore the leaves are those that it went on with", async () => {
  const one = kept();
  await one.keep(9);
  await one.keep(7, { from: 4 });
  const { held } = await kept().opened();
  expect(held?.leaves?.root(7)).toEqual(one.root(7, { from: 4 }));
});

describe("a crash", () => {
  test("after the leaves and before the checkpoint: what was cosigned is held", async () => {
    const one = kept();
    await one.keep(5);
    const before = readFileSync(file("checkpoint"));
    await one.keep(9);
    writeFileSync(file("checkpoint"), before);
    const { held, damaged } = await kept().opened();
    expect(held?.checkpoint.size).toBe(5);
    expect(held?.leaves?.root(5)).toEqual(one.root(5));
    expect(damaged).toEqual([]);
    // And goes on from there.
    const again = kept();
    await again.opened();
    await again.keep(8);
    expect((await kept().opened()).held?.leaves?.root(8)).toEqual(one.root(8));
  });

  test("in the middle of a leaf: the others are held", async () => {
    await kept().keep(5);
    appendFileSync(file("leaves"), "half a leaf");
    expect((await kept().opened()).held?.leaves?.size).toBe(5);
  });
});

describe("a file that is not what was written", () => {
  test.each([
    ["of nothing", () => ""],
    ["of no note", () => "a".repeat(100_000)],
    ["of another root", (text: string) => text.replace(/\n5\n./, "\n5\nA")],
    ["of another size", (text: string) => text.replace("\n5\n", "\n4\n")],
    ["with another time of ours", (text: string) => text.replace(/(— capstan\/n-w \S{9})./, "$1B")],
    ["without our cosignature", (text: string) => text.replace(/— capstan\/n-w .*\n$/, "")],
    ["of another log", (text: string) => text.replace("l-000", "l-100")],
  ])("%s is told, held by nobody, and nothing is cosigned in its place", async (_, change) => {
    await kept().keep(5);
    writeFileSync(file("checkpoint"), change(readFileSync(file("checkpoint"), "utf8")));
    const { held, damaged, logs } = await kept().opened();
    expect(held).toBeUndefined();
    expect(damaged).toEqual([expect.stringContaining(`witness/${NODE}.checkpoint: `)]);
    expect([logs.unreadable(NODE), logs.unreadable("n-2")]).toEqual([expect.any(String), undefined]);
    await kept().keep(6);
    expect((await kept().opened()).logs.unreadable(NODE)).toBeUndefined();
  });

  test.each([
    ["are gone", () => rmSync(file("leaves"))],
    ["are others", () => writeFileSync(file("leaves"), readFileSync(file("leaves")).fill(7, EMPTY_LEAVES))],
    ["are too few", () => writeFileSync(file("leaves"), readFileSync(file("leaves")).subarray(0, EMPTY_LEAVES + 32))],
    ["are nonsense", () => writeFileSync(file("leaves"), "nonsense")],
  ])("leaves that %s cost the names of entries, and not the checkpoint", async (_, change) => {
    await kept().keep(5);
    change();
    const { held, damaged } = await kept().opened();
    expect(held).toMatchObject({ checkpoint: { size: 5 } });
    expect(held?.leaves).toBeUndefined();
    expect(damaged).toEqual([expect.stringContaining(".leaves: ")]);
  });

  test("what else lies there is let be", async () => {
    await kept().keep(5);
    for (const name of ["own.json", "..checkpoint", "notes.txt"]) writeFileSync(join(directory, "witness", name), "?");
    expect((await kept().opened()).damaged).toEqual([]);
  });
});

test("a key of ours that was rotated since, or one of the peer's, leaves what was kept readable by the other", async () => {
  await kept().keep(5);
  expect((await new Kept(directory, { ours: 9 }).opened()).held?.checkpoint.size).toBe(5);
  expect((await new Kept(directory, { pinned: [] }).opened()).held?.checkpoint.size).toBe(5);
  expect((await new Kept(directory, { ours: 9, pinned: [] }).opened()).held).toBeUndefined();
});

test("without a data directory it is held as long as the process lives", async () => {
  const one = new Kept(undefined);
  await one.keep(5);
  expect((await one.opened()).held?.checkpoint.size).toBe(5);
});
