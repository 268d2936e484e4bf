// What is saved of a damaged log is the same log, only shorter, and takes its place by a restore; what is lost is said.

import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { restoreLog } from "../backup/restore.ts";
import { faultOf } from "../fault/fault.ts";
import { sqliteLog } from "../log/sqlite/sqlite-log.ts";
import { createOrchestrator } from "../orchestrator.ts";
import { openNode } from "../server/node-key.ts";
import { notes } from "../testing/notes.fixture.ts";
import { admits } from "../testing/start.fixture.ts";
import { salvageLog } from "./salvage.ts";
import { verifyLogFile } from "./verify-file.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A log of the start's entry and twenty notes, that was stopped. */
async function stopped() {
  const directory = mkdtempSync(join(tmpdir(), "capstan-salvage-"));
  cleanups.push(() => rmSync(directory, { recursive: true }));
  const node = await openNode({ directory });
  const path = join(directory, "log.db");
  const orchestrator = await createOrchestrator({
    ...{ plugins: [admits(), notes()] as never, log: sqliteLog(path), node, signer: node.signer },
  });
  const scope = await orchestrator.scope({ principal: "ada", allow: ["*"] });
  let early = "";
  for (let i = 0; i < 20; i++) {
    const data = { name: `n-${i}`, text: i === 15 ? "x".repeat(80_000) : `text ${i}` };
    await scope.applyAction({ resource: "note", action: "write", data });
    if (i === 8) early = await orchestrator.notary.checkpoint();
  }
  await orchestrator.stop();
  const keys = [readFileSync(join(directory, "node.pub"), "utf8").trim()];
  return { path, directory, node, keys, early, out: join(directory, "saved.db") };
}

function change(path: string, sql: string): void {
  const db = new Database(path);
  db.run(sql);
  db.close(true);
}

describe("salvage", () => {
  test("saves every entry of a log whose tables are damaged, and makes them anew", async () => {
    const { path, out, keys } = await stopped();
    change(path, "DELETE FROM row WHERE key = 'n-3'");
    const before = Bun.SHA256.hash(readFileSync(path), "hex");
    expect(salvageLog(path, out)).toEqual({ first: 1, last: 21, of: 21, covered: 21 });
    expect(Bun.SHA256.hash(readFileSync(path), "hex")).toBe(before);
    expect(await verifyLogFile(out, { keys })).toMatchObject({ valid: true, entries: 21, found: 0 });
  });

  for (const [what, sql, last, why] of [
    [
      "an entry is altered",
      "UPDATE log SET body = CAST(replace(body, 'text 9', 'text X') AS BLOB) WHERE first = 11",
      10,
      "entry 11: ",
    ],
    ["an entry is gone", "DELETE FROM log WHERE first = 11", 10, "entry 11 is gone"],
    ["content beside an entry is gone", "DELETE FROM blob", 16, "entry 17: the content of its part b is gone"],
  ] as const) {
    test(`saves what is before the first damage where ${what}, and says what is lost`, async () => {
      const { path, out, keys, early } = await stopped();
      change(path, sql);
      const saved = salvageLog(path, out);
      expect(saved).toMatchObject({ first: 1, last, of: 21, covered: 0 });
      expect(saved.stopped).toStartWith(why);
      // The newest checkpoint is of more; one that somebody kept still holds.
      const verified = await verifyLogFile(out, { keys, checkpoint: early });
      expect(verified).toMatchObject({ entries: last, valid: true, unproved: last - 10 });
    });
  }

  test("leaves a log that takes the place of the damaged one by a restore, in a new epoch", async () => {
    const { path, out, keys, node } = await stopped();
    change(path, "DELETE FROM log WHERE first = 11");
    salvageLog(path, out);
    const restored = await restoreLog({
      file: out,
      log: path,
      keys,
      unproved: node.signer,
      replace: true,
      now: Date.now(),
    });
    expect(restored.checkpoint.size).toBe(10);
    const log = sqliteLog(path);
    expect([log.damage, log.head, log.restorations.length]).toEqual([undefined, 10, 1]);
    expect(await log.row("note", "n-8")).toBe('"text 8"');
    expect(await log.row("note", "n-9")).toBeUndefined();
    await log.close();
  });

  test("writes over nothing, and leaves nothing where there is nothing to save", async () => {
    const { path, out, directory } = await stopped();
    writeFileSync(out, "mine");
    expect(() => salvageLog(path, out)).toThrow();
    expect(readFileSync(out, "utf8")).toBe("mine");
    rmSync(out);
    change(path, "DELETE FROM log WHERE first = 1");
    try {
      salvageLog(path, out);
      expect.unreachable();
    } catch (thrown) {
      expect(faultOf(thrown)).toMatchObject({
        code: "LOG_DAMAGED",
        message: expect.stringContaining("entry 1 is gone"),
      });
    }
    expect(existsSync(out)).toBe(false);
    expect(readdirSync(directory).filter((name) => name.startsWith("saved"))).toEqual([]);
  });
});
