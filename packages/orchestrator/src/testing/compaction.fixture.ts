// What the tests of compaction share: a log that is filled, compacted, and held against what its entries say.

import { expect } from "bun:test";
import type { Trimmed } from "../pipeline/upkeep/decide-compaction.ts";
import type { AnyPlugin } from "../plugin/plugin.ts";
import { COLD_TABLES } from "../state/table.ts";
import { cells, cellTable } from "./cells.fixture.ts";
import { provenEntries, replayedRows, storedRows } from "./evidence.fixture.ts";
import { admits, type Setting, start } from "./start.fixture.ts";

export const DAY = 86_400_000;
export type Node = Awaited<ReturnType<typeof start>>;

const KERNEL = ["effect", "hold", "pipeline", "nodeKey", "erasure", "restoration"];

/** What is left is proven, and makes the rows that are stored. */
export async function checked(
  { orchestrator, log }: Node,
  tables: readonly string[] = [cellTable.name],
): Promise<void> {
  expect(await provenEntries(orchestrator)).toEqual([]);
  const all = [...KERNEL, ...COLD_TABLES, ...tables];
  expect(await replayedRows(log)).toEqual(await storedRows(log, all));
}

export async function filled(setting: Setting, count: number, plugins: readonly AnyPlugin[] = [admits(), cells()]) {
  const node = await start(plugins, setting);
  // A group holds what comes in one turn, and a log in a file forgets whole groups.
  for (let from = 0; from < count; from += 100) {
    const sent: Promise<unknown>[] = [];
    for (let i = from; i < Math.min(count, from + 100); i++)
      sent.push(node.send("cell.set", { name: `c${i % 50}`, text: `text ${i}` }, { key: `k${i}` }));
    await Promise.all(sent);
  }
  return node;
}

export const compact = (node: Node, data: object = {}) => node.send<Trimmed>("log.compact", data);
