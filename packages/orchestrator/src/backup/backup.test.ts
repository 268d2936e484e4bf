// A backup says the same as the log that it was made of, or there is none.

import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sampleMaker } from "../log/conformance/sample.ts";
import type { Log } from "../log/log.ts";
import { memoryLog } from "../log/memory/memory-log.ts";
import { sqliteLog } from "../log/sqlite/sqlite-log.ts";
import { signerOf } from "../notary/signer.ts";
import { formatVerifierKey } from "../proof/note.ts";
import { checkpointOf, compact, contentOf, erase, grow, NODE, signer } from "./backed-up-log.fixture.ts";
import { type BackupOptions, backUp } from "./backup.ts";
import type { BackupSource, ExportPage } from "./backup-source.ts";
import { logSource } from "./log-source.ts";

const home = realpathSync(mkdtempSync(join(tmpdir(), "capstan-backup-")));
afterAll(() => rmSync(home, { recursive: true }));

const directory = (): string => mkdtempSync(join(home, "d-"));
const sourceOf = (log: Log): BackupSource => logSource(log, () => checkpointOf(log));
const trusted = [formatVerifierKey(signer)];

async function grown(head: number, log = memoryLog()) {
  const sample = sampleMaker();
  await grow(log, sample, head);
  return { log, sample };
}

/** A log that keeps of a compaction what a node's keeps. */
function logFile() {
  const log = sqliteLog(join(directory(), "log.db"));
  return { log, [Symbol.asyncDispose]: async () => log.close() };
}

async function backedUp(log: Log, options: Partial<BackupOptions> = {}) {
  const path = join(directory(), "a.backup");
  const made = await backUp({ source: sourceOf(log), path, keys: trusted, ...options });
  return { path, made };
}

const onePage = ({ entries, blobs }: ExportPage): ExportPage => ({ entries: entries.slice(0, 10), blobs });

/** What is in a backup, opened as a log. */
async function inBackup(path: string) {
  const log = sqliteLog(path);
  try {
    return { content: await contentOf(log), epoch: log.epoch, damage: log.damage };
  } finally {
    await log.close();
  }
}

describe("a backup", () => {
  test("has every entry, row, blob and leaf of the log, its id, and an epoch that goes on", async () => {
    const { log, sample } = await grown(700);
    await erase(log, sample, 20);
    const { path, made } = await backedUp(log);
    expect([made.first, made.checkpoint.size]).toEqual([1, 701]);
    expect(await inBackup(path)).toEqual({
      ...{ content: await contentOf(log), epoch: log.epoch + 1, damage: undefined },
    });
  });

  test("is one file, its owner's alone, with the checkpoint in it", async () => {
    const { log } = await grown(3);
    const { path } = await backedUp(log);
    expect(readdirSync(join(path, ".."))).toEqual(["a.backup"]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    using db = new Database(path, { readonly: true });
    expect(db.query("SELECT value FROM meta WHERE name = 'checkpoint'").get()).toEqual({
      value: await checkpointOf(log),
    });
  });

  test("of a compacted log has the leaves of what is gone", async () => {
    await using file = logFile();
    const { log, sample } = await grown(1500, file.log);
    await compact(log, sample);
    await grow(log, sample, 1600);
    expect(log.first).toBeGreaterThan(1000);
    const { path, made } = await backedUp(log);
    expect(made.first).toBe(log.first);
    expect((await inBackup(path)).content).toEqual(await contentOf(log));
  });

  test("ends where its checkpoint does, however the log grows meanwhile", async () => {
    const { log, sample } = await grown(200);
    const before = await contentOf(log);
    const source = sourceOf(log);
    const growing: BackupSource = {
      ...source,
      async entries(from) {
        const page = await source.entries(from);
        await grow(log, sample, log.head + 100);
        return page;
      },
    };
    const { path } = await backedUp(log, { source: growing });
    expect(log.head).toBe(300);
    expect((await inBackup(path)).content).toEqual(before);
  });

  test("begins again where the log is compacted under it", async () => {
    await using file = logFile();
    const { log, sample } = await grown(1500, file.log);
    const source = sourceOf(log);
    let pages = 0;
    const compacting: BackupSource = {
      ...source,
      async entries(from) {
        const page = await source.entries(from);
        if (++pages === 1) await compact(log, sample);
        return { ...page, entries: page.entries.slice(0, 300) };
      },
    };
    const { path, made } = await backedUp(log, { source: compacting });
    expect([made.first, made.checkpoint.size]).toEqual([log.first, 1502]);
    expect((await inBackup(path)).content).toEqual(await contentOf(log));
  });

  test("begins again where a part is erased under it, so that the erasure is in it as well", async () => {
    const { log, sample } = await grown(60);
    const source = sourceOf(log);
    let pages = 0;
    const erasing: BackupSource = {
      ...source,
      async entries(from) {
        if (++pages === 2) await erase(log, sample, 50);
        return onePage(await source.entries(from));
      },
    };
    const { path, made } = await backedUp(log, { source: erasing });
    expect(made.checkpoint.size).toBe(61);
    expect((await inBackup(path)).content).toEqual(await contentOf(log));
  });

  test("gives up where the log is compacted under it again and again", async () => {
    const { log } = await grown(20);
    const source = sourceOf(log);
    let asked = 0;
    const first = async () => {
      asked++;
      return log.head + 1;
    };
    const never: BackupSource = { ...source, first };
    await expect(backedUp(log, { source: never })).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
    expect(asked).toBe(5);
  });
});

describe("nothing is left of", () => {
  /** The code of what a backup from a source that lies ends with. */
  async function codeOf(lie: (page: ExportPage) => Partial<ExportPage>, more: Partial<BackupSource> = {}, head = 60) {
    const { log } = await grown(head);
    const source = sourceOf(log);
    const path = join(directory(), "a.backup");
    const entries = async (from: number) => {
      const page = await source.entries(from);
      return { ...page, ...lie(page) };
    };
    const code = await backUp({ source: { ...source, entries, ...more }, path, keys: trusted }).then(
      () => "made",
      (thrown: { code?: string }) => thrown.code,
    );
    if (code !== "made") expect(readdirSync(join(path, ".."))).toEqual([]);
    return code;
  }

  /** Entry 31's text, replaced. */
  const texts =
    (replace: (text: string) => string) =>
    ({ entries }: ExportPage) => ({
      entries: entries.map((one) => (one.entry === 31 ? { ...one, text: replace(one.text) } : one)),
    });

  test("an entry whose part, header or number is another", async () => {
    expect(await codeOf(() => ({}))).toBe("made");
    expect(await codeOf(texts((text) => text.replace('{"data":31}', '{"data":32}')))).toBe("LOG_DAMAGED");
    expect(await codeOf(texts((text) => text.replace('"principal":"Zoë"', '"principal":"Eve"')))).toBe("LOG_DAMAGED");
    expect(await codeOf(texts(() => "nonsense"))).toBe("LOG_DAMAGED");
    const swapped = ({ entries }: ExportPage) => ({
      entries: entries.map((one, i) => ({ ...(entries[i ^ 1] ?? one), entry: one.entry })),
    });
    expect(await codeOf(swapped)).toBe("LOG_DAMAGED");
  });

  test("a log in which entries are missing, in the middle or at the end", async () => {
    const without = (seq: number) => (page: ExportPage) => ({
      entries: page.entries.filter((one) => one.entry !== seq),
    });
    expect(await codeOf(without(31))).toBe("LOG_DAMAGED");
    expect(await codeOf(without(60))).toBe("LOG_DAMAGED");
    expect(await codeOf(() => ({ entries: [] }))).toBe("LOG_DAMAGED");
  });

  test("a log whose content beside the entries is another, or not there", async () => {
    const other = ({ blobs }: ExportPage) => ({ blobs: blobs.map((blob) => ({ ...blob, text: `${blob.text} ` })) });
    expect(await codeOf(other)).toBe("LOG_DAMAGED");
    expect(await codeOf(() => ({ blobs: [] }))).toBe("LOG_UNAVAILABLE");
  });

  test("a log that says that it was compacted, and gives other leaves", async () => {
    const lies = (leaves: Uint8Array) =>
      codeOf(() => ({}), { first: async () => 257, leaves: async () => leaves }, 300);
    for (const bytes of [256 * 32, 31, 0]) expect(await lies(new Uint8Array(bytes))).toBe("LOG_DAMAGED");
  });

  test("a checkpoint that is of another size or root, or that nobody trusted signed", async () => {
    const { log } = await grown(70);
    const other = await signerOf(NODE, new Uint8Array(32).fill(8));
    const checkpoint = (note: Promise<string>) => ({ checkpoint: () => note });
    const { log: sixty } = await grown(60);
    expect(await codeOf(() => ({}), checkpoint(checkpointOf(log)))).toBe("LOG_DAMAGED");
    expect(await codeOf(() => ({}), checkpoint(checkpointOf(sixty, { by: other })))).toBe("SIGNATURE_INVALID");
    expect(await codeOf(() => ({}), checkpoint(Promise.resolve("nonsense")))).toBe("CHECKPOINT_INVALID");
  });

  test("a backup that is interrupted", async () => {
    const { log } = await grown(60);
    const path = join(directory(), "a.backup");
    const abort = new AbortController();
    const options = { path, keys: trusted, signal: abort.signal, progress: () => abort.abort("enough") };
    const source = { ...sourceOf(log), entries: async (from: number) => onePage(await sourceOf(log).entries(from)) };
    await expect(backUp({ source, ...options })).rejects.toBe("enough");
    expect(readdirSync(join(path, ".."))).toEqual([]);
  });

  test("a backup that is interrupted while the node does not answer", async () => {
    const { log } = await grown(60);
    const path = join(directory(), "a.backup");
    const abort = new AbortController();
    const source = { ...sourceOf(log), entries: () => new Promise<ExportPage>(() => abort.abort("enough")) };
    await expect(backUp({ source, path, keys: trusted, signal: abort.signal })).rejects.toBe("enough");
    expect(readdirSync(join(path, ".."))).toEqual([]);
  });

  test("a backup from a file, which answers at once, that is interrupted", async () => {
    const { log } = await grown(200);
    const path = join(directory(), "a.backup");
    const abort = new AbortController();
    let pages = 0;
    const entries = async (from: number) => {
      pages++;
      return onePage(await sourceOf(log).entries(from));
    };
    const made = backUp({ source: { ...sourceOf(log), entries }, path, keys: trusted, signal: abort.signal });
    // As a signal comes in: in a turn of its own.
    setImmediate(() => abort.abort("enough"));
    await expect(made).rejects.toBe("enough");
    expect(pages).toBeLessThan(20);
    expect(readdirSync(join(path, ".."))).toEqual([]);
  });
});

describe("a backup's key", () => {
  test("may be one that the log itself admits, where nobody brings another", async () => {
    const { log } = await grown(5);
    expect((await backedUp(log, { keys: undefined })).made.checkpoint.size).toBe(5);
    const other = await signerOf(NODE, new Uint8Array(32).fill(8));
    const source = logSource(log, () => checkpointOf(log, { by: other }));
    await expect(backedUp(log, { keys: undefined, source })).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
  });
});

describe("a backup's file", () => {
  test("is not put over another unless that is asked for", async () => {
    const { log } = await grown(5);
    const path = join(directory(), "a.backup");
    writeFileSync(path, "something else");
    const options = { source: sourceOf(log), path, keys: trusted };
    await expect(backUp(options)).rejects.toMatchObject({ path, cause: { code: "EEXIST" } });
    expect([readFileSync(path, "utf8"), readdirSync(join(path, ".."))]).toEqual(["something else", ["a.backup"]]);
    await backUp({ ...options, overwrite: true });
    expect((await inBackup(path)).content.head).toBe(5);
  });

  test("in a directory that there is not is refused", async () => {
    const { log } = await grown(5);
    const path = join(home, "nowhere", "a.backup");
    const made = backUp({ source: sourceOf(log), path, keys: trusted });
    await expect(made).rejects.toMatchObject({ path, cause: { code: "ENOENT" } });
    expect(existsSync(join(home, "nowhere"))).toBe(false);
  });

  test("that a killed backup left is removed by the next, and that of a running one is not", async () => {
    const { log } = await grown(5);
    const path = join(directory(), "a.backup");
    const gone = Bun.spawnSync(["true"]).pid;
    const others = ["a.backup.1.tmp", `b.backup.${gone}.tmp`, "a.backup.tmp"];
    for (const name of [`a.backup.${gone}.tmp`, ...others]) writeFileSync(join(path, "..", name), "half");
    await backUp({ source: sourceOf(log), path, keys: trusted });
    expect(readdirSync(join(path, "..")).sort()).toEqual(["a.backup", ...others].sort());
  });
});
