// A log that was restored says so: in an entry, once each restore, and in every checkpoint from then on.

import { expect, test } from "bun:test";
import type { Log, Restoration } from "../../log/log.ts";
import { memoryLog } from "../../log/memory/memory-log.ts";
import { verifyCheckpoint } from "../../proof/checkpoint.ts";
import { parseVerifierKey } from "../../proof/note.ts";
import { cells } from "../../testing/cells.fixture.ts";
import { provenEntries, replayedRows, storedRows } from "../../testing/evidence.fixture.ts";
import { logWith } from "../../testing/faulty-log.fixture.ts";
import { admits, start } from "../../testing/start.fixture.ts";
import { restorationTable } from "../kernel-tables.ts";

const restoredLog = (log: Log, epoch: number, restorations: readonly Restoration[]): Log =>
  logWith(log, { epoch, restorations, close() {} });

test("each restore is recorded at the first start after it, and signed from then on", async () => {
  const log = memoryLog();
  const first = await start([admits(), cells()], { log });
  await first.send("cell.set", { name: "a", text: "1" });
  const root = Buffer.from(await log.tree.root(2)).toString("base64");
  const restores = [
    { epoch: 2, size: 1, root: Buffer.from(await log.tree.root(1)).toString("base64"), at: 1 },
    { epoch: 5, size: 2, root, at: 2 },
  ];

  const once = await start([admits(), cells()], { log: restoredLog(log, 2, restores.slice(0, 1)), seed: 2 });
  expect(await once.history()).toEqual(["cell.set done", "log.restored done"]);
  const twice = await start([admits(), cells()], { log: restoredLog(log, 5, restores), seed: 3 });
  const again = await start([admits(), cells()], { log: restoredLog(log, 6, restores), seed: 4 });
  expect(await again.history()).toEqual(["cell.set done", "log.restored done", "log.restored done"]);
  expect([...again.orchestrator.reader.rows(restorationTable)].map(([, row]) => row)).toEqual([
    { ...(restores[0] as Restoration), entry: 3 },
    { ...(restores[1] as Restoration), entry: 4 },
  ]);
  const { notary } = twice.orchestrator;
  const checkpoint = await verifyCheckpoint(await notary.checkpoint(), [parseVerifierKey(await notary.verifierKey())]);
  expect([checkpoint.epoch, checkpoint.restored?.epoch, checkpoint.restored?.size]).toEqual([5, 5, 2]);
  expect(Buffer.from(checkpoint.restored?.root ?? []).toString("base64")).toBe(root);
  expect(await provenEntries(again.orchestrator)).toEqual([]);
  expect(await replayedRows(log)).toEqual(await storedRows(log, ["pipeline", "restoration", "cell"]));
});
