// What the node hands out, verified as a stranger would: with its key, and nothing else of it.

import { describe, expect, test } from "bun:test";
import {
  type AppendResult,
  memoryLog,
  verifyCheckpoint,
  verifyConsistency,
  verifyReceipt,
} from "@capstan/orchestrator";
import { faultFrom, startHub } from "../hub.fixture.ts";
import { altered, keys, signer, signerOf, withPerforms } from "./ledger.fixture.ts";

const bytes = (base64: string) => Uint8Array.from(Buffer.from(base64, "base64"));

describe("log.receipt", () => {
  test("of each entry, by number and by message, verifies under the node's key", async () => {
    const { app, log } = await withPerforms(5);
    for (let entry = 1; entry <= log.head; entry++) {
      const receipt = await app.log.receipt({ entry });
      const verified = await verifyReceipt(JSON.stringify(receipt), keys);
      expect(verified).toMatchObject({ entry, erased: [], checkpoint: { log: log.id, size: log.head } });
      expect([receipt.header, ...receipt.parts].join("\n")).toBe((await log.read(entry))[0]?.text as string);
      expect(await app.log.receipt({ id: verified.header.id })).toEqual(receipt);
    }
  });

  test("is of no use under another key, or as another entry's", async () => {
    const { app } = await withPerforms(1);
    const receipt = await app.log.receipt({ entry: 2 });
    const { publicKey } = signerOf("capstan/n-test", 2);
    await expect(verifyReceipt(receipt, [{ ...(keys[0] as (typeof keys)[0]), publicKey }])).rejects.toThrow();
    await expect(verifyReceipt({ ...receipt, entry: 1 }, keys)).rejects.toThrow();
  });

  test("of an entry that is not durable yet waits for it", async () => {
    const memory = memoryLog();
    let gate: Promise<unknown> = Promise.resolve();
    const log = altered(memory, {
      append: (head, entries) => gate.then(() => memory.append(head, entries)) as Promise<AppendResult>,
    });
    const { app } = await withPerforms(0, { log });
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    const performing = app.action.perform({ name: "greet", input: 1 });
    let given = false;
    const receipt = app.log.receipt({ entry: 3 }).then((one) => {
      given = true;
      return one;
    });
    for (let turn = 0; turn < 20; turn++) await new Promise((go) => setImmediate(go));
    expect([given, memory.head]).toEqual([false, 2]);
    resolve();
    expect(await verifyReceipt(await receipt, keys)).toMatchObject({ entry: 3, header: { message: "action.perform" } });
    await performing;
  });

  test("with witnesses is of the newest checkpoint that so many cosigned; until there is one it is pending", async () => {
    const { app, hub, log } = await withPerforms(3);
    const pending = (witnesses: number, entry = 2) => faultFrom(app.log.receipt({ entry, witnesses }));
    expect(await pending(1)).toMatchObject({
      code: "WITNESS_PENDING",
      details: { entry: 2, witnesses: 1, cosigned: 0 },
    });
    const { checkpoint: note, size } = await app.log.checkpoint();
    const root = await log.tree.root(size);
    for (const name of ["osaka", "kyoto"])
      hub.notary.cosigned.add({ size, root, note }, name, `— ${name} AAAAAAAAAA==`);
    await app.action.perform({ name: "greet", input: 9 });
    const receipt = await app.log.receipt({ entry: 2, witnesses: 2 });
    expect(receipt.checkpoint).toBe(`${note}— osaka AAAAAAAAAA==\n— kyoto AAAAAAAAAA==\n`);
    expect(await verifyReceipt(receipt, keys)).toMatchObject({ entry: 2, checkpoint: { size } });
    expect(await pending(3)).toMatchObject({ code: "WITNESS_PENDING", details: { cosigned: 2 } });
    expect(await pending(1, size + 1)).toMatchObject({ details: { cosigned: 0 } });
    // One that is not of this log as it is now proves nothing of it.
    hub.notary.cosigned.add({ size: size + 1, root, note: "x" }, "osaka", "— osaka AAAAAAAAAA==");
    expect((await app.log.receipt({ entry: 2, witnesses: 1 })).checkpoint).toBe(receipt.checkpoint);
  });

  test("of what there is not says so", async () => {
    const { app } = await withPerforms(1);
    for (const data of [{ entry: 99 }, { id: "m-0000000000000000" }, {}]) {
      expect(await faultFrom(app.log.receipt(data))).toMatchObject({ code: "ENTRY_NOT_FOUND" });
    }
  });
});

describe("log.checkpoint and log.head", () => {
  test("are of the log as it is, and the checkpoint is signed", async () => {
    const { app, log, clock } = await withPerforms(2);
    const { checkpoint, ...said } = await app.log.checkpoint();
    const root = Buffer.from(await log.tree.root()).toString("base64");
    expect(said).toEqual({ log: log.id, size: log.head, root, epoch: log.epoch, at: clock.now() });
    const signed = await verifyCheckpoint(checkpoint, keys);
    expect({ ...signed, root: Buffer.from(signed.root).toString("base64") }).toMatchObject(said);
    const { size, ...rest } = said;
    expect(await app.log.head()).toEqual({
      ...{ entries: size, node: "n-test", name: "test", first: 1, state: "whole" },
      ...rest,
    });
  });

  test("of a damaged log: it is not signed, and still says where it ends", async () => {
    const memory = memoryLog();
    const { hub } = await withPerforms(2, { log: altered(memory, { close() {} }) });
    await hub.stop();
    const damage = { damaged: ["entries 880 to 912: the checksum does not fit"], whole: "everything else" };
    const { app } = await startHub({ log: altered(memory, { damage }), signer });
    expect(await app.log.head()).toEqual({
      ...{ entries: memory.head, node: "n-test", name: "test", log: memory.id, first: 1, state: "damaged" },
    });
    expect(await faultFrom(app.log.checkpoint())).toMatchObject({ code: "LOG_DAMAGED" });
    expect(await faultFrom(app.log.receipt({ entry: 1 }))).toMatchObject({ code: "LOG_DAMAGED" });
    expect((await app.log.list()).items).toHaveLength(memory.head);
  });
});

describe("log.proof", () => {
  test("proves of any two sizes that the smaller log is the beginning of the larger", async () => {
    const { app, log } = await withPerforms(4);
    for (let to = 0; to <= log.head; to++) {
      for (let from = 0; from <= to; from++) {
        const { fromRoot, toRoot, proof } = await app.log.proof({ from, to });
        const claim = { from, to, fromRoot: bytes(fromRoot), toRoot: bytes(toRoot), proof: proof.map(bytes) };
        expect(verifyConsistency(claim)).toBe(true);
      }
    }
    expect(await app.log.proof({ from: 3 })).toMatchObject({ log: log.id, from: 3, to: log.head });
  });

  test("of what the log has not, or the wrong way round, is refused", async () => {
    const { app, log } = await withPerforms(1);
    for (const data of [
      { from: 1, to: log.head + 1 },
      { from: log.head + 1 },
      { from: 0, to: Number.MAX_SAFE_INTEGER },
    ]) {
      expect(await faultFrom(app.log.proof(data))).toMatchObject({ code: "ENTRY_NOT_FOUND" });
    }
    expect(await faultFrom(app.log.proof({ from: 2, to: 1 }))).toMatchObject({ code: "MESSAGE_INVALID" });
    for (const from of [-1, 0.5, 2 ** 53]) {
      expect(await faultFrom(app.log.proof({ from }))).toMatchObject({ code: "MESSAGE_INVALID" });
    }
  });
});

test("a compacted log says of what is gone that it is, and proves the rest as before", async () => {
  const { app, log } = await withPerforms(8);
  const before = await app.log.receipt({ entry: 2 });
  const { root } = await app.log.head();
  let first = 1;
  while (first < 6) first = await log.trim(6, []);
  expect(await app.log.head()).toMatchObject({ first: 6, entries: log.head, root });
  for (const asked of [
    app.log.receipt({ entry: 5 }),
    app.log.show({ entry: 1 }),
    app.log.tail({ from: 5 }),
    app.log.export({ from: 5 }),
    app.log.verify({ from: 1 }),
  ]) {
    expect(await faultFrom(asked)).toMatchObject({ code: "HISTORY_GONE", details: { first: 6 } });
  }
  // What was handed out is as good as ever, and of the same log.
  const { size, root: then } = (await verifyReceipt(before, keys)).checkpoint;
  const proof = await app.log.proof({ from: size });
  expect(bytes(proof.fromRoot)).toEqual(Uint8Array.from(then));
  expect(await verifyReceipt(await app.log.receipt({ entry: 6 }), keys)).toMatchObject({ entry: 6 });
  const { items, next } = await app.log.list({ limit: 1000 });
  expect([items.at(-1)?.entry, next]).toEqual([6, undefined]);
  expect((await app.log.tail({ from: 6 })).items[0]?.entry).toBe(6);
  expect(await app.log.verify()).toMatchObject({
    from: 6,
    entries: log.head - 5,
    leaves: log.head,
    root: expect.any(String),
  });
  expect((await app.log.verify()).problem).toBeUndefined();
});
