// A backup in the place of a log: what comes of it is the backup in a new epoch, or what was there before.

import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sampleMaker, T0 } from "../log/conformance/sample.ts";
import type { Log, Restoration } from "../log/log.ts";
import { MIGRATIONS } from "../log/sqlite/migrations.ts";
import { sqliteLog } from "../log/sqlite/sqlite-log.ts";
import { signerOf } from "../notary/signer.ts";
import { parseCheckpoint } from "../proof/checkpoint.ts";
import { verifyContinuation } from "../proof/continuation.ts";
import { formatVerifierKey, openNote } from "../proof/note.ts";
import { checkpointOf, compact, contentOf, erase, grow, NODE, recordRestore, signer } from "./backed-up-log.fixture.ts";
import { backUp } from "./backup.ts";
import { logSource } from "./log-source.ts";
import { type RestoreOptions, restoreLog } from "./restore.ts";
import { StoppedLog } from "./stopped-log.ts";

const home = realpathSync(mkdtempSync(join(tmpdir(), "capstan-restore-")));
afterAll(() => rmSync(home, { recursive: true }));

const trusted = [formatVerifierKey(signer)];
const directory = (): string => mkdtempSync(join(home, "d-"));

interface Wanted {
  readonly head: number;
  readonly backedUp: number;
  readonly compacted: boolean;
}

const made = new Map<string, ReturnType<typeof make>>();

/** A node's data: a log of `head` entries, closed, of which the first `backedUp` are in a backup. A copy, to be done with as one likes. */
async function node({ head = 400, backedUp = 300, compacted = false }: Partial<Wanted> = {}) {
  const wanted = { head, backedUp, compacted };
  const key = JSON.stringify(wanted);
  const original = made.get(key) ?? make(wanted);
  made.set(key, original);
  const { directory: from, ...known } = await original;
  const to = directory();
  cpSync(from, to, { recursive: true });
  return { ...known, data: join(to, "data"), path: join(to, "data", "log.db"), file: join(to, "beside", "a.backup") };
}

async function make({ head, backedUp, compacted }: Wanted) {
  const home = directory();
  for (const name of ["data", "beside"]) mkdirSync(join(home, name), { mode: 0o700 });
  const path = join(home, "data", "log.db");
  const file = join(home, "beside", "a.backup");
  const log = sqliteLog(path);
  const sample = sampleMaker();
  await grow(log, sample, backedUp);
  if (compacted) await compact(log, sample);
  await erase(log, sample, 20);
  const content = await contentOf(log);
  await backUp({ source: logSource(log, () => checkpointOf(log)), path: file, keys: trusted });
  await grow(log, sample, head);
  const note = await checkpointOf(log);
  writeFileSync(`${path}.checkpoint`, note);
  const { epoch } = log;
  await log.close();
  return { directory: home, content, note, epoch };
}

const restoring = (file: string, log: string, more: Partial<RestoreOptions> = {}): RestoreOptions => ({
  ...{ file, log, keys: trusted, now: T0 },
  ...more,
});

async function opened<T>(path: string, look: (log: Log) => T | Promise<T>): Promise<T> {
  const log = sqliteLog(path);
  try {
    return await look(log);
  } finally {
    await log.close();
  }
}

/** Samples as of so many after the first. */
function later(count: number): ReturnType<typeof sampleMaker> {
  const sample = sampleMaker();
  sample.group(count);
  return sample;
}

const epochsIn = (path: string): Promise<number[]> => opened(path, (log) => log.restorations.map(({ epoch }) => epoch));

/** Every file of a directory, by a hash of its content. */
const filesOf = (data: string) =>
  readdirSync(data)
    .sort()
    .map((name) => [name, Bun.hash(readFileSync(join(data, name)))]);

describe("a restore", () => {
  test("into an empty directory is the backup, in an epoch that nobody has seen", async () => {
    const { file, content } = await node();
    const log = join(directory(), "log.db");
    const { checkpoint, epoch, aside, replaced } = await restoreLog(restoring(file, log));
    expect([checkpoint.size, aside, replaced]).toEqual([301, [], undefined]);
    expect(epoch).toBeGreaterThan(1_000_000);
    expect(readdirSync(join(log, "..")).sort()).toEqual(["log.db", "log.db.checkpoint"]);
    expect([statSync(log).mode & 0o777, statSync(`${log}.checkpoint`).mode & 0o777]).toEqual([0o600, 0o644]);
    await opened(log, async (restored) => {
      expect(await contentOf(restored)).toEqual(content);
      expect([restored.epoch, restored.damage]).toEqual([epoch, undefined]);
      const root = Buffer.from(checkpoint.root).toString("base64");
      expect(restored.restorations).toEqual([{ epoch, size: 301, root, at: T0 }]);
    });
  });

  test("of a compacted log is one", async () => {
    const { file, content } = await node({ backedUp: 1500, head: 1600, compacted: true });
    expect(content.first).toBeGreaterThan(1000);
    const log = join(directory(), "log.db");
    await restoreLog(restoring(file, log));
    expect(await opened(log, contentOf)).toEqual(content);
  });

  test("over a log goes on after its epoch, and says what is where now", async () => {
    const { data, path, file, content, epoch } = await node();
    const before = await opened(path, contentOf);
    const made = await restoreLog(restoring(file, path, { replace: true }));
    expect(made.epoch).toBe(epoch + 2);
    expect(made.replaced).toMatchObject({ head: 400, log: content.id });
    expect(made.aside).toContain("log.db.replaced-2026-11-01T000000Z");
    expect(await opened(path, contentOf)).toEqual(content);
    expect(await opened(join(data, made.aside[0] as string), contentOf)).toEqual(before);
  });

  test("twice in a row declares the second, later than the first", async () => {
    const { path, file } = await node();
    const first = await restoreLog(restoring(file, path, { replace: true }));
    const second = await restoreLog(restoring(file, path, { replace: true }));
    expect(second.epoch).toBe(first.epoch + 1);
    expect(await epochsIn(path)).toEqual([second.epoch]);
  });

  for (const recorded of [true, false]) {
    const how = recorded ? "its entries tell of" : "only its checkpoint tells of";
    test(`of a log that went through one before, as ${how}, keeps both in mind`, async () => {
      const { path, file } = await node();
      const first = await restoreLog(restoring(file, path, { replace: true }));
      const again = join(directory(), "b.backup");
      await opened(path, async (log) => {
        const restoration = log.restorations[0] as Restoration;
        if (recorded) await recordRestore(log, later(500), restoration);
        const note = checkpointOf(log, recorded ? {} : { restored: restoration });
        await backUp({ source: logSource(log, () => note), path: again, keys: trusted });
      });
      const second = await restoreLog(restoring(again, path, { replace: true }));
      expect(await epochsIn(path)).toEqual([first.epoch, second.epoch]);
    });
  }

  test("is seen as one by whoever kept an older checkpoint", async () => {
    const { path, file, note } = await node();
    const { epoch } = await restoreLog(restoring(file, path, { replace: true }));
    await opened(path, async (log) => {
      await grow(log, later(500), 500);
      const restored = log.restorations[0] as Restoration;
      const newer = parseCheckpoint(openNote(await checkpointOf(log, { restored })).text);
      const older = parseCheckpoint(openNote(note).text);
      expect(verifyContinuation(older, newer, await log.tree.consistency(restored.size, 500))).toEqual({
        ...{ kind: "restored", epoch, kept: 301 },
      });
    });
  });

  test("of a damaged log's directory takes the epoch from its checkpoint", async () => {
    const { path, file, epoch } = await node();
    writeFileSync(path, "no database");
    const made = await restoreLog(restoring(file, path, { replace: true }));
    expect(made).toMatchObject({ epoch: epoch + 1, replaced: { head: 400 } });
    expect(await opened(path, (log) => log.damage)).toBeUndefined();
  });

  test("takes a stopped node's own files too, its write-ahead log included", async () => {
    const { path: from } = await node();
    const live = sqliteLog(from);
    const copied = copyOf(from);
    const content = await contentOf(live);
    await live.close();
    const log = join(directory(), "log.db");
    expect((await restoreLog(restoring(copied, log))).checkpoint.size).toBe(400);
    expect(await opened(log, contentOf)).toEqual(content);
  });

  test("takes what no checkpoint covers only where somebody vouches for it, and signs it then", async () => {
    const { path: from } = await node();
    const live = sqliteLog(from);
    await grow(live, later(500), 420);
    const content = await contentOf(live);
    const copied = copyOf(from);
    await live.close();
    const restoredTo = (more: Partial<RestoreOptions>) => {
      const log = join(directory(), "log.db");
      return restoreLog(restoring(copied, log, more)).then(() => opened(log, contentOf));
    };
    const refused = expect.objectContaining({
      code: "CHECKPOINT_INVALID",
      message: expect.stringContaining("401 to 420"),
    });
    await expect(restoredTo({})).rejects.toEqual(refused);
    expect(await restoredTo({ unproved: signer })).toEqual(content);
    const other = await signerOf(NODE, new Uint8Array(32).fill(9));
    await expect(restoredTo({ unproved: other })).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
    rmSync(`${copied}.checkpoint`);
    await expect(restoredTo({})).rejects.toMatchObject({ code: "CHECKPOINT_INVALID" });
  });
});

/** The files of a log, as they are now. */
function copyOf(path: string): string {
  const copied = directory();
  for (const suffix of ["", "-wal", ".checkpoint"]) copyFileSync(path + suffix, join(copied, `log.db${suffix}`));
  return join(copied, "log.db");
}

describe("nothing is changed by a restore", () => {
  async function refused(spoil: (file: string) => void, more: Partial<RestoreOptions> = {}): Promise<string> {
    const { data, path, file } = await node({ head: 120, backedUp: 100 });
    spoil(file);
    const before = filesOf(data);
    const code = await restoreLog(restoring(file, path, { replace: true, ...more })).then(
      () => "restored",
      ({ code }) => code as string,
    );
    if (code !== "restored") expect(filesOf(data)).toEqual(before);
    return code;
  }

  test("over data, unless that is asked for", async () => {
    expect(await refused(() => {})).toBe("restored");
    expect(await refused(() => {}, { replace: false })).toBe("RESTORE_OVER_DATA");
  });

  test("over what is left of data: a write-ahead log, or a checkpoint", async () => {
    const { file } = await node();
    for (const name of ["log.db-wal", "log.db.checkpoint", "log.db-sums"]) {
      const data = directory();
      writeFileSync(join(data, name), "left");
      const refused = restoreLog(restoring(file, join(data, "log.db")));
      await expect(refused).rejects.toMatchObject({ code: "RESTORE_OVER_DATA" });
      expect(readdirSync(data)).toEqual([name]);
    }
  });

  test("of a running node, whatever is asked for", async () => {
    const { path, file } = await node();
    const live = sqliteLog(path);
    for (const replace of [false, true]) {
      await expect(restoreLog(restoring(file, path, { replace }))).rejects.toMatchObject({ code: "LOG_LOCKED" });
    }
    await live.append(live.head, []);
    await live.close();
  });

  test("of a backup that a newer version made", async () => {
    const newer = (file: string) => {
      using db = new Database(file);
      db.run(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    };
    expect(await refused(newer)).toBe("LOG_NEWER");
  });

  test("of a backup that is truncated, by a page or by all but one", async () => {
    for (const bytes of [16_384, 100]) {
      expect(await refused((file) => truncateSync(file, statSync(file).size - bytes))).toBe("LOG_DAMAGED");
    }
    expect(await refused((file) => truncateSync(file, 16_384))).toBe("LOG_DAMAGED");
    expect(await refused((file) => truncateSync(file, 0))).toBe("LOG_DAMAGED");
  });

  test("of a file that is no log, is not there, or is a directory", async () => {
    expect(await refused((file) => writeFileSync(file, "some text that is long enough".repeat(100)))).toBe(
      "LOG_DAMAGED",
    );
    const other = (file: string) => {
      rmSync(file);
      using db = new Database(file, { create: true });
      db.run("CREATE TABLE t (v TEXT)");
    };
    expect(await refused(other)).toBe("LOG_DAMAGED");
    expect(await refused((file) => rmSync(file))).toBe("LOG_UNAVAILABLE");
    expect(await refused(() => {}, { file: home })).toBe("LOG_UNAVAILABLE");
  });

  test("of a backup whose key is not trusted, or that another signed since", async () => {
    const other = await signerOf(NODE, new Uint8Array(32).fill(9));
    expect(await refused(() => {}, { keys: [formatVerifierKey(other)] })).toBe("SIGNATURE_INVALID");
    expect(await refused(() => {}, { keys: [] })).toBe("SIGNATURE_INVALID");
    expect(await refused(() => {}, { keys: undefined })).toBe("restored");
  });

  test("that is interrupted", async () => {
    const abort = new AbortController();
    abort.abort(Object.assign(new Error("enough"), { code: "ABORTED" }));
    expect(await refused(() => {}, { signal: abort.signal })).toBe("ABORTED");
  });
});

test("a flipped byte anywhere in a backup stops its restore, or changes nothing of it", async () => {
  const { file, content } = await node({ head: 120, backedUp: 100 });
  const bytes = readFileSync(file);
  const spoilt = join(home, "flipped.backup");
  let found = 0;
  const flips = 150;
  for (let i = 0; i < flips; i++) {
    const flipped = Buffer.from(bytes);
    const at = Math.floor((i / flips) * bytes.length) + (i % 97);
    flipped[at] = (flipped[at] as number) ^ (1 << (i % 8));
    writeFileSync(spoilt, flipped);
    const log = join(directory(), "log.db");
    const code = await restoreLog(restoring(spoilt, log)).then(
      () => undefined,
      ({ code }) => code as string,
    );
    if (code === undefined) expect(await opened(log, contentOf)).toEqual(content);
    else {
      found++;
      expect(["LOG_DAMAGED", "LOG_NEWER", "CHECKPOINT_INVALID", "SIGNATURE_INVALID"]).toContain(code);
      expect(existsSync(log)).toBe(false);
    }
  }
  expect(found).toBeGreaterThan(flips / 2);
}, 60_000);

test("reading a stopped node's log changes no byte of it, and nothing beside it", async () => {
  const { data, path } = await node();
  const live = sqliteLog(path);
  const killed = directory();
  for (const name of readdirSync(data)) copyFileSync(join(data, name), join(killed, name));
  await live.close();
  for (const one of [data, killed]) {
    const before = filesOf(one);
    {
      using log = new StoppedLog(join(one, "log.db"));
      expect((await log.read(1, { limit: 1000 })).length).toBe(400);
    }
    expect(filesOf(one)).toEqual(before);
  }
});

test("no node is started on a log while it is read", async () => {
  const { path } = await node();
  const script = `import { sqliteLog } from ${JSON.stringify(join(import.meta.dir, "..", "log", "sqlite", "sqlite-log.ts"))};
    try { await sqliteLog(${JSON.stringify(path)}).close(); console.log("opened") } catch (thrown) { console.log(thrown.code) }`;
  const tryIt = (): string => Bun.spawnSync([process.execPath, "-e", script]).stdout.toString().trim();
  {
    using log = new StoppedLog(path);
    expect([log.head, tryIt()]).toEqual([400, "LOG_LOCKED"]);
  }
  expect(tryIt()).toBe("opened");
});
