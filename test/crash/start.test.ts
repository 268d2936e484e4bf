// A start reads rows, not history: it does not grow with what is finished. How long it takes: `bun test/crash/start.ts`.

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createOrchestrator, type Log, sqliteLog } from "@capstan/orchestrator";
import { standard } from "@capstan/plugins";
import { fill, openLog } from "./fill.ts";

test("a start on a log of thousands of entries reads none of them", async () => {
  const directory = mkdtempSync(join(tmpdir(), "capstan-start-"));
  try {
    const filled = await openLog(directory);
    await fill(filled, "sync", 2000);
    const entries = filled.log.head;
    await filled.stop();

    const { log, reads } = counted(sqliteLog(join(directory, "log.db")));
    const started = await createOrchestrator({ plugins: standard(), log });
    expect(entries).toBeGreaterThanOrEqual(2000);
    expect(log.head).toBeGreaterThanOrEqual(entries);
    expect(reads()).toBe(0);
    await started.stop();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

/** The log, and how often its entries were read. */
function counted(log: Log): { readonly log: Log; reads(): number } {
  let reads = 0;
  const proxy = new Proxy(log, {
    get(target, property) {
      if (property === "read") reads++;
      const value: unknown = Reflect.get(target, property);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { log: proxy, reads: () => reads };
}
