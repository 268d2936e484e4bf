// What the notary signs, for whom, and when it is in the file. Signatures and roots are verified by proof/, which knows none
// of the code that made them.

import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Log } from "../log/log.ts";
import { memoryLog } from "../log/memory/memory-log.ts";
import { type Checkpoint, verifyCheckpoint } from "../proof/checkpoint.ts";
import { CompactRange, EMPTY_ROOT, leafHash } from "../proof/merkle.ts";
import { parseVerifierKey, signNote, verifierOf } from "../proof/note.ts";
import { logWith } from "../testing/faulty-log.fixture.ts";
import { ManualTime, T0 } from "../testing/manual-time.fixture.ts";
import { codeOf, settled } from "../testing/start.fixture.ts";
import { type CheckpointWriter, checkpointWriter } from "./checkpoint-writer.ts";
import { Notary } from "./notary.ts";
import { signerOf } from "./signer.ts";

const home = mkdtempSync(join(tmpdir(), "capstan-notary-"));
afterAll(() => rmSync(home, { recursive: true }));

const signer = await signerOf("n-00000001", new Uint8Array(32).fill(7));
const key = verifierOf(signer);

/** `count` more entries. */
function grow(log: Log, count: number): void {
  const entries = Array.from({ length: count }, (_, i) => {
    const id = `m-${String(log.head + i).padStart(16, "0")}`;
    return { id, at: T0, text: `{"id":"${id}"}`, rows: [] };
  });
  log.append(log.head, entries);
}

/** The root by proof/, over the headers as they are stored. */
async function rootOf(log: Log, size: number): Promise<Uint8Array> {
  const range = new CompactRange();
  for (const { text } of await log.read(1, { limit: size })) range.append(leafHash(text.split("\n")[0] as string));
  return range.root();
}

/** A writer that keeps what it is given, and fails or waits when the test says so. */
function heldWriter() {
  const writer = {
    written: [] as string[],
    before: undefined as string | undefined,
    failing: false,
    gate: Promise.resolve(),
    read: async () => writer.before,
    async write(note: string) {
      await writer.gate;
      if (writer.failing) throw new Error("ENOSPC");
      writer.written.push(note);
    },
  };
  return writer satisfies CheckpointWriter;
}

function notaryOf(log: Log, file?: CheckpointWriter) {
  const time = new ManualTime();
  const reported: string[] = [];
  let signatures = 0;
  const notary = new Notary({
    ...{ log, timers: time, now: time.now, file },
    signer: async () => ({
      ...signer,
      sign: (bytes) => {
        signatures++;
        return signer.sign(bytes);
      },
    }),
    retiredAt: () => undefined,
    report: (thrown) => reported.push(String(thrown)),
  });
  const opened = async (note: Promise<string> | string): Promise<Checkpoint> => verifyCheckpoint(await note, [key]);
  return { notary, time, reported, opened, signatures: () => signatures };
}

/** Lets promises run that wait for signatures: those are made off the loop's microtasks. */
async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition(); turns++) {
    if (turns > 1_000_000) throw new Error("it never came to that");
    await settled();
  }
}

describe("a checkpoint", () => {
  test("covers what is durable when it is asked for, under the root that others compute", async () => {
    const log = memoryLog();
    const { notary, opened } = notaryOf(log);
    expect(await opened(notary.checkpoint())).toMatchObject({
      log: log.id,
      size: 0,
      root: EMPTY_ROOT,
      epoch: 1,
      at: T0,
    });
    for (const size of [1, 2, 7, 300]) {
      grow(log, size - log.head);
      const { root, ...rest } = await opened(notary.checkpoint());
      expect(rest).toMatchObject({ log: log.id, size });
      expect(Buffer.from(root)).toEqual(Buffer.from(await rootOf(log, size)));
    }
    expect(parseVerifierKey(await notary.verifierKey())).toEqual(key);
  });

  test("is signed once for a size, and once for all who ask while another is signed", async () => {
    const log = memoryLog();
    const { notary, opened, signatures } = notaryOf(log);
    grow(log, 3);
    const first = await Promise.all(Array.from({ length: 100 }, () => notary.checkpoint()));
    expect([new Set(first).size, signatures()]).toEqual([1, 1]);
    expect(await notary.checkpoint()).toBe(first[0] as string);

    grow(log, 1);
    const asked = [notary.checkpoint()];
    for (let i = 0; i < 100; i++) {
      grow(log, 1);
      asked.push(notary.checkpoint());
      await undefined;
    }
    const sizes = (await Promise.all(asked.map(opened))).map(({ size }) => size);
    for (const [i, size] of sizes.entries()) expect(size).toBeGreaterThanOrEqual(4 + i);
    expect(signatures()).toBeLessThanOrEqual(4);
  });

  test("names the last restore, and its time never runs backwards", async () => {
    const log = memoryLog();
    grow(log, 5);
    const root = await rootOf(log, 5);
    const restored = (epoch: number) => ({ epoch, size: 5, root: Buffer.from(root).toString("base64"), at: T0 });
    const { notary, time, opened } = notaryOf(logWith(log, { epoch: 9, restorations: [restored(4), restored(8)] }));
    const { restored: said, epoch, at } = await opened(notary.checkpoint());
    expect([said?.epoch, said?.size, epoch, at]).toEqual([8, 5, 9, T0]);
    expect(Buffer.from(said?.root ?? [])).toEqual(Buffer.from(root));
    time.advance(-86_400_000);
    grow(log, 1);
    expect((await opened(notary.checkpoint())).at).toBe(T0);
  });

  test("is none of a log that is damaged", async () => {
    const damage = { damaged: ["entries 1 to 3: the checksum does not fit"], whole: "nothing" };
    const log = logWith(memoryLog(), { damage });
    const writer = heldWriter();
    const { notary, time, signatures } = notaryOf(log, writer);
    await notary.start();
    expect(await codeOf(notary.checkpoint())).toBe("LOG_DAMAGED");
    await notary.stop();
    expect([signatures(), writer.written, time.waiting]).toEqual([0, [], 0]);
  });
});

describe("the file", () => {
  test("covers every entry within half a second, and no timer runs while there is nothing to write", async () => {
    const log = memoryLog();
    const writer = heldWriter();
    const { notary, time, opened } = notaryOf(log, writer);
    await notary.start();
    expect(time.waiting).toBe(0);
    grow(log, 2);
    notary.committed();
    grow(log, 2);
    notary.committed();
    expect(time.waiting).toBe(1);
    time.advance(499);
    await settled();
    expect(writer.written).toEqual([]);
    time.advance(1);
    await until(() => writer.written.length === 1);
    expect((await opened(writer.written[0] as string)).size).toBe(4);
    expect(time.waiting).toBe(0);
  });

  test("is not waited for by whoever asks for a checkpoint, and gets it all the same", async () => {
    const log = memoryLog();
    const writer = heldWriter();
    const { promise, resolve } = Promise.withResolvers<void>();
    writer.gate = promise;
    const { notary } = notaryOf(log, writer);
    const notes: string[] = [];
    for (let i = 0; i < 3; i++) {
      grow(log, 1);
      notes.push(await notary.checkpoint());
    }
    expect(writer.written).toEqual([]);
    resolve();
    await until(() => writer.written.length === 2);
    // The second was overtaken by the third while the first was being written.
    expect(writer.written).toEqual([notes[0] as string, notes[2] as string]);
  });

  test("that cannot be written is told of once, tried again, and told of again after it could", async () => {
    const log = memoryLog();
    const writer = heldWriter();
    const { notary, time, reported, opened } = notaryOf(log, writer);
    writer.failing = true;
    grow(log, 1);
    for (let i = 0; i < 3; i++) {
      notary.committed();
      time.advance(500);
      await until(() => time.waiting === 1);
    }
    expect([reported, writer.written]).toEqual([["Error: ENOSPC"], []]);
    writer.failing = false;
    time.advance(500);
    await until(() => writer.written.length === 1);
    expect((await opened(writer.written[0] as string)).size).toBe(1);

    writer.failing = true;
    grow(log, 1);
    await notary.written();
    expect(reported).toHaveLength(2);
  });

  test("has the last entry when the notary stops, and nothing is written afterwards", async () => {
    const log = memoryLog();
    const writer = heldWriter();
    const { notary, time, opened } = notaryOf(log, writer);
    grow(log, 9);
    notary.committed();
    await notary.stop();
    expect((await opened(writer.written.at(-1) as string)).size).toBe(9);
    notary.committed();
    expect(time.waiting).toBe(0);
  });

  test("is replaced whole, readable by everybody, with nothing left beside it", async () => {
    const log = memoryLog();
    const directory = mkdtempSync(join(home, "file-"));
    const path = join(directory, "log.db.checkpoint");
    const { notary, opened } = notaryOf(log, checkpointWriter(path));
    for (const size of [1, 2]) {
      grow(log, 1);
      await notary.written();
      expect((await opened(readFileSync(path, "utf8"))).size).toBe(size);
    }
    expect(statSync(path).mode & 0o777).toBe(0o644);
    expect(readdirSync(directory)).toEqual(["log.db.checkpoint"]);
  });

  test("in a directory that is gone is reported, and stops nobody", async () => {
    const log = memoryLog();
    const { notary, reported } = notaryOf(log, checkpointWriter(join(home, "gone", "log.db.checkpoint")));
    grow(log, 1);
    await notary.stop();
    expect(reported).toEqual([expect.stringContaining("ENOENT")]);
    expect(existsSync(join(home, "gone"))).toBe(false);
  });
});

test("a key that is retired signs last what retires it, that is written, and another signs whatever comes later", async () => {
  const log = memoryLog();
  const writer = heldWriter();
  const next = await signerOf("n-00000001", new Uint8Array(32).fill(9));
  const events: string[] = [];
  let retired: number | undefined;
  const notary = new Notary({
    ...{ log, timers: new ManualTime(), now: () => T0 },
    signer: async () => signer,
    retiredAt: ({ publicKey }) => (publicKey === signer.publicKey ? retired : undefined),
    file: {
      read: writer.read,
      write: async (note) => void events.push((await sizeBy(note)).join(" ")),
    },
    report: (thrown) => events.push(String(thrown)),
  });
  async function sizeBy(note: string) {
    const by = (await verifyCheckpoint(note, [key]).catch(() => undefined)) === undefined ? "next" : "old";
    return [by, (await verifyCheckpoint(note, [key, verifierOf(next)])).size] as const;
  }
  grow(log, 2);
  await notary.written();
  notary.successor = { signer: next, tookOver: async () => void events.push("took over") };
  grow(log, 1);
  expect(await sizeBy(await notary.checkpoint())).toEqual(["old", 3]);
  // Decided as entry 5, and not yet durable: the old key still signs.
  retired = 5;
  grow(log, 1);
  expect(await sizeBy(await notary.checkpoint())).toEqual(["old", 4]);
  grow(log, 4);
  const asked = [notary.checkpoint(), notary.checkpoint()];
  for (const note of asked) expect(await sizeBy(await note)).toEqual(["next", 8]);
  await notary.written();
  expect(events).toEqual(["old 2", "old 3", "old 4", "old 5", "took over", "next 8"]);
});

test("a key that is retired, and has no successor, signs nothing more", async () => {
  const log = memoryLog();
  grow(log, 2);
  const notary = new Notary({
    ...{ log, timers: new ManualTime(), now: () => T0, file: undefined },
    signer: async () => signer,
    retiredAt: () => 2,
    report() {},
  });
  expect(await codeOf(notary.checkpoint())).toBe("KEY_RETIRED");
});

describe("after a start", () => {
  test("the file is written anew, and a clock that was set back does not show", async () => {
    const log = memoryLog();
    grow(log, 4);
    const path = join(mkdtempSync(join(home, "again-")), "log.db.checkpoint");
    const first = notaryOf(log, checkpointWriter(path));
    first.time.advance(86_400_000);
    await first.notary.stop();
    const again = notaryOf(logWith(log, { epoch: 2 }), checkpointWriter(path));
    await again.notary.start();
    expect(again.time.waiting).toBe(1);
    await again.notary.written();
    const { size, epoch, at } = await again.opened(readFileSync(path, "utf8"));
    expect([size, epoch, at]).toEqual([4, 2, T0 + 86_400_000]);
  });

  test("what others left in the file counts for nothing", async () => {
    const log = memoryLog();
    grow(log, 1);
    const path = join(mkdtempSync(join(home, "others-")), "log.db.checkpoint");
    const foreign = await signerOf("n-00000001", new Uint8Array(32).fill(8));
    const later = `capstan/${log.id}\n1\n${Buffer.from(await rootOf(log, 1)).toString("base64")}\nepoch 1\nat ${T0 * 2}\n`;
    for (const left of ["", "nonsense\n", await signNote(later, foreign)]) {
      writeFileSync(path, left);
      const { notary, opened, reported } = notaryOf(log, checkpointWriter(path));
      await notary.start();
      await notary.written();
      expect((await opened(readFileSync(path, "utf8"))).at).toBe(T0);
      expect(reported).toEqual([]);
    }
  });
});
