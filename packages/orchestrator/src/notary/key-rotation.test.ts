// A node's keys, one after the other: what is signed by which, what the log says of them, and that a crash at any step leaves
// a node that goes on. Everything signed is verified by proof/.

import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifyAsync } from "@noble/ed25519";
import { decodeEntry } from "../log/entry.ts";
import { sqliteLog } from "../log/sqlite/sqlite-log.ts";
import { createOrchestrator } from "../orchestrator.ts";
import { nodeKeyTable } from "../pipeline/kernel-tables.ts";
import type { AnyPlugin, PluginRuntime } from "../plugin/plugin.ts";
import { type CheckpointKey, verifyCheckpoint } from "../proof/checkpoint.ts";
import { CompactRange, leafHash } from "../proof/merkle.ts";
import { formatVerifierKey, parseVerifierKey } from "../proof/note.ts";
import { openNode } from "../server/node-key.ts";
import { ManualTime } from "../testing/manual-time.fixture.ts";
import { notes } from "../testing/notes.fixture.ts";
import { admits, codeOf, plugin, start } from "../testing/start.fixture.ts";
import { rowKeyOf } from "./key-rotation.ts";
import { verifyRotation } from "./rotation-statement.ts";

const FIXTURE = join(import.meta.dir, "key-rotation.fixture.ts");
const home = mkdtempSync(join(tmpdir(), "capstan-keys-"));
afterAll(() => rmSync(home, { recursive: true }));
const directoryOf = (name: string) => mkdtempSync(join(home, `${name}-`));

/** A node on files. Its checkpoint's file is written when the test asks for it, and by no timer. */
async function open(directory: string) {
  const node = await openNode({ directory });
  const log = sqliteLog(join(directory, "log.db"));
  let runtime: PluginRuntime | undefined;
  const run = (one: PluginRuntime): void => {
    runtime = one;
  };
  const plugins: readonly AnyPlugin[] = [admits(), notes(), plugin("runs", { signs: ["capstan note/1"], run })];
  const orchestrator = await createOrchestrator({
    plugins,
    ...{ log, node, signer: node.signer, timers: new ManualTime() },
  });
  const scope = await orchestrator.scope({ principal: "ada", allow: ["*"] });
  const send = (resource: string, action: string, data: object = {}) =>
    scope.applyAction({ resource, action, data }, {}) as Promise<{ node: string; key: string; entry: number }>;
  let count = 0;
  return {
    ...{ node, log, orchestrator, send, identity: (runtime as unknown as PluginRuntime | undefined)?.identity },
    write: () => send("note", "write", { name: `note ${log.head}-${count++}`, text: "" }),
    keys: () => [...orchestrator.reader.rows(nodeKeyTable)].map(([, row]) => row).sort((a, b) => a.from - b.from),
  };
}
type Opened = Awaited<ReturnType<typeof open>>;

const line = (directory: string) => readFileSync(join(directory, "node.pub"), "utf8").trim();
const written = (directory: string) => readFileSync(join(directory, "log.db.checkpoint"), "utf8");

/** Whether the checkpoint is of this log as it is, by nothing but its headers and the key. */
async function verified({ log }: Opened, note: string, key: CheckpointKey): Promise<number> {
  const { size, root } = await verifyCheckpoint(note, [key]);
  const range = new CompactRange();
  for (const { text } of await log.read(1, { limit: size })) range.append(leafHash(text.split("\n")[0] as string));
  expect(Buffer.from(range.root())).toEqual(Buffer.from(root));
  return size;
}

async function rotationsIn({ log }: Opened) {
  const entries = (await log.read(1, { limit: 1000 })).map(decodeEntry);
  return entries
    .filter(({ header }) => header.message === "key.rotated" && header.verdict === "done")
    .map((entry) => ({ seq: entry.seq, data: (entry.part("b") as { data: Record<string, string> }).data }));
}

describe("the first start", () => {
  test("admits the node's key in its one entry, and publishes it", async () => {
    const directory = directoryOf("first");
    const node = await open(directory);
    expect([node.log.head, node.keys()]).toEqual([1, [{ node: node.node.id, from: 1 }]]);
    expect(line(directory)).toBe(formatVerifierKey(node.node.signer));
    expect(statSync(join(directory, "node.pub")).mode & 0o777).toBe(0o644);
    await node.orchestrator.stop();
    expect(await verifyCheckpoint(written(directory), [parseVerifierKey(line(directory))])).toMatchObject({ size: 1 });

    const again = await open(directory);
    expect(again.log.head).toBe(1);
    await again.orchestrator.stop();
  });

  test("of a node that was given no key admits none, and rotates none", async () => {
    const node = await start([admits()]);
    expect([...node.orchestrator.reader.rows(nodeKeyTable)]).toEqual([]);
    expect(await codeOf(node.send("key.rotate"))).toBe("KEY_FIXED");
    const key = parseVerifierKey(await node.orchestrator.notary.verifierKey());
    expect((await verifyCheckpoint(await node.orchestrator.reader.proofs.checkpoint(), [key])).size).toBe(2);
  });
});

describe("a rotation", () => {
  test("has both keys sign that one follows the other, and the node stays who it is", async () => {
    const directory = directoryOf("rotated");
    const node = await open(directory);
    const { id } = node.node;
    const before = parseVerifierKey(line(directory));
    const seed = readFileSync(join(directory, "node.key"), "utf8");
    await node.write();
    const old = await node.orchestrator.notary.checkpoint();
    const answer = await node.send("key", "rotate");
    const note = await node.orchestrator.notary.checkpoint();

    const after = parseVerifierKey(line(directory));
    expect(answer).toEqual({ node: id, key: line(directory), entry: 4 });
    // What plugins sign is signed by the new key from now on.
    const text = new TextEncoder().encode("capstan note/1\n");
    const signature = node.identity?.sign(text) as Uint8Array;
    expect(node.identity?.publicKey).toBe(rowKeyOf(after));
    expect(await verifyAsync(signature, text, after.publicKey)).toBe(true);
    expect(node.keys()).toEqual([
      { node: id, from: 1, until: 4 },
      { node: id, from: 4 },
    ]);
    const [rotation] = await rotationsIn(node);
    const statement = await verifyRotation(rotation?.data.statement as string);
    expect(statement).toEqual({ log: node.log.id, old: before, next: after });
    expect([await verified(node, old, before), await verified(node, note, after)]).toEqual([2, 4]);
    expect(verifyCheckpoint(note, [before])).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
    expect(readFileSync(join(directory, "node.key"), "utf8")).not.toBe(seed);
    expect([existsSync(join(directory, "node.key.next")), statSync(join(directory, "node.key")).mode & 0o777]).toEqual([
      ...[false, 0o600],
    ]);
    await node.orchestrator.stop();

    const again = await open(directory);
    expect([again.node.id, again.log.head, again.keys().length]).toEqual([id, 4, 2]);
    expect((await again.send("key", "rotate")).entry).toBe(6);
    await again.write();
    await again.orchestrator.stop();
    const third = await open(directory);
    expect([third.node.id, third.keys().map(({ until }) => until)]).toEqual([id, [4, 6, undefined]]);
    await third.orchestrator.stop();
    expect(await verifyCheckpoint(written(directory), [parseVerifierKey(line(directory))])).toMatchObject({ size: 7 });
  });

  test("ends with a checkpoint of the old key over the entry that retires it, while others write and ask for more", async () => {
    const directory = directoryOf("last");
    const node = await open(directory);
    const before = parseVerifierKey(line(directory));
    const signed: string[] = [];
    const sign = node.orchestrator.notary;
    const asking = (async () => {
      for (let i = 0; i < 60; i++) {
        await node.write();
        signed.push(await sign.checkpoint());
      }
    })();
    const { entry } = await node.send("key", "rotate");
    await asking;
    const after = parseVerifierKey(line(directory));
    const keys = [{ ...before, until: entry }, after];
    const sizes = new Map<string, number[]>([before, after].map((key) => [key.hash, []]));
    for (const note of signed) {
      const { size } = await verifyCheckpoint(note, keys);
      const by = [before, after].find(({ publicKey }) => note.includes(hashOf(note, publicKey))) as typeof after;
      sizes.get(by.hash)?.push(size);
    }
    const [old = [], next = []] = [...sizes.values()];
    expect(Math.max(...old)).toBeLessThanOrEqual(entry);
    expect(Math.min(...next)).toBeGreaterThanOrEqual(entry);
    expect(next.length).toBeGreaterThan(10);
    await node.orchestrator.stop();

    function hashOf(note: string, publicKey: Uint8Array): string {
      const { name } = before;
      const hash = Buffer.from((publicKey === before.publicKey ? before : after).hash, "hex");
      const signature = note.slice(note.lastIndexOf(" ") + 1).trim();
      return Buffer.from(signature, "base64").subarray(0, 4).equals(hash) ? `— ${name} ${signature}` : "\0";
    }
  });

  test("is one at a time", async () => {
    const node = await open(directoryOf("twice"));
    const first = node.send("key", "rotate");
    expect(await codeOf(node.send("key", "rotate"))).toBe("KEY_ROTATING");
    expect((await first).entry).toBe(4);
    await node.orchestrator.stop();
  });

  test("that cannot be written down fails, and the key stays", async () => {
    const directory = directoryOf("unwritten");
    const node = await open(directory);
    writeFileSync(join(directory, "node.key.next"), "no key\n", { mode: 0o600 });
    expect(await codeOf(node.send("key", "rotate"))).toBe("KEY_FILE_INVALID");
    rmSync(join(directory, "node.key.next"));
    expect(node.keys()).toEqual([{ node: node.node.id, from: 1 }]);
    expect((await node.send("key", "rotate")).entry).toBe(5);
    await node.orchestrator.stop();
  });
});

describe("a crash", () => {
  /** What of the two last steps of a promotion, which are one call, was done before it. */
  const between = {
    "recorded, and the id written": (directory: string, id: string) =>
      writeFileSync(join(directory, "node.id"), `${id}\n`),
    "recorded, and the key moved": (directory: string, id: string) => {
      writeFileSync(join(directory, "node.id"), `${id}\n`);
      renameSync(join(directory, "node.key.next"), join(directory, "node.key"));
    },
  };
  for (const step of ["owed", "made", "recorded", ...Object.keys(between), "promoted"]) {
    test(`when it is ${step} is gone on from at the next start`, async () => {
      const directory = directoryOf("crash");
      const { id } = await openNode({ directory });
      const before = parseVerifierKey(line(directory));
      const child = Bun.spawn([process.execPath, FIXTURE, directory, step.split(",")[0] as string]);
      await child.exited;
      expect(child.signalCode).toBe("SIGKILL");
      between[step as keyof typeof between]?.(directory, id);

      const node = await open(directory);
      for (let turn = 0; node.keys().length < 2; turn++) {
        if (turn > 1000) throw new Error("the rotation did not go on");
        await node.write();
      }
      const note = await node.orchestrator.notary.checkpoint();
      const after = parseVerifierKey(line(directory));
      const rotations = await rotationsIn(node);
      expect(rotations).toHaveLength(1);
      expect(await verifyRotation(rotations[0]?.data.statement as string)).toMatchObject({ old: before, next: after });
      expect([await verified(node, note, after), node.node.id]).toEqual([node.log.head, id]);
      expect(node.keys().map(({ until }) => until)).toEqual([rotations[0]?.seq, undefined]);
      expect([existsSync(join(directory, "node.key.next")), existsSync(join(directory, "node.id"))]).toEqual([
        ...[false, true],
      ]);
      await node.orchestrator.stop();
      const again = await open(directory);
      expect([again.node.id, rowKeyOf(again.node.signer)]).toEqual([id, rowKeyOf(after)]);
      await again.orchestrator.stop();
    }, 60_000);
  }

  test("that leaves a key of which the log knows nothing has it removed", async () => {
    const directory = directoryOf("unknown");
    const { signer } = await openNode({ directory });
    await signer.succession?.next();
    const node = await open(directory);
    expect([existsSync(join(directory, "node.key.next")), node.keys().length]).toEqual([false, 1]);
    await node.orchestrator.stop();
  });
});

describe("key files", () => {
  test("that others may read, or hold no key, are refused; so is an id that is none", async () => {
    const directory = directoryOf("modes");
    await openNode({ directory });
    const path = join(directory, "node.key");
    chmodSync(path, 0o640);
    expect(await codeOf(openNode({ directory }))).toBe("KEY_FILE_INVALID");
    chmodSync(path, 0o600);
    const { signer } = await openNode({ directory });
    await signer.succession?.next();
    chmodSync(join(directory, "node.key.next"), 0o644);
    expect(await codeOf(open(directory))).toBe("KEY_FILE_INVALID");
    rmSync(join(directory, "node.key.next"));
    writeFileSync(join(directory, "node.id"), "n-../../x\n");
    expect(await codeOf(openNode({ directory }))).toBe("KEY_FILE_INVALID");
    rmSync(join(directory, "node.id"));
    writeFileSync(path, "c2hvcnQ\n");
    expect(await codeOf(openNode({ directory }))).toBe("KEY_FILE_INVALID");
  });

  test("with a key that the log has retired do not start the node", async () => {
    const directory = directoryOf("retired");
    const node = await open(directory);
    const old = readFileSync(join(directory, "node.key"));
    await node.send("key", "rotate");
    await node.orchestrator.stop();
    writeFileSync(join(directory, "node.key"), old);
    expect(await codeOf(open(directory))).toBe("KEY_RETIRED");
  });

  test("of a log that was restored to before the rotation: the newer key is admitted, and the older one ends", async () => {
    const directory = directoryOf("older");
    const first = await open(directory);
    await first.orchestrator.stop();
    rmSync(join(directory, "node.key"));
    writeFileSync(join(directory, "node.id"), `${first.node.id}\n`);
    const node = await open(directory);
    expect([node.node.id, node.log.head, node.keys()]).toEqual([
      ...[first.node.id, 2],
      [
        { node: first.node.id, from: 1, until: 2 },
        { node: first.node.id, from: 2 },
      ],
    ]);
    await node.orchestrator.stop();
  });
});
