// Logs for tests, over one in memory: with another epoch, as after a restart; with a disk that fails; answering later.

import type { AppendResult, Awaitable, Log, NewEntry } from "../log/log.ts";
import { memoryLog } from "../log/memory/memory-log.ts";

/** The log with some of its members replaced. */
export function logWith(log: Log, replaced: Partial<Log>): Log {
  return new Proxy(log, {
    get(target, name) {
      if (name in replaced) return Reflect.get(replaced, name);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** The same entries and rows, opened again. */
export function reopened(log: Log): Log {
  return logWith(log, { epoch: log.epoch + 1, close() {} });
}

/** A log whose disk fails while `full` is set. */
export function faultyLog() {
  const inner = memoryLog();
  const check = (): void => {
    if (disk.full) throw new Error("ENOSPC");
  };
  const append = (head: number, entries: readonly NewEntry[]): Awaitable<AppendResult> => {
    check();
    return inner.append(head, entries);
  };
  const disk = { full: false, log: logWith(inner, { append, probe: check }) };
  return disk;
}

/** A log that answers appends and key look-ups when the test says so. */
export function gatedLog() {
  const inner = memoryLog();
  const gate = {
    appends: [] as { readonly entries: number; pass(): void; fail(): void; conflict(): void }[],
    log: logWith(inner, {
      append: (head: number, entries: readonly NewEntry[]): Awaitable<AppendResult> =>
        new Promise((resolve, reject) =>
          gate.appends.push({
            entries: entries.length,
            pass: () => resolve(inner.append(head, entries)),
            fail: () => reject(new Error("connection lost")),
            conflict: () => resolve({ kind: "conflict", head: head + 7 }),
          }),
        ),
      row: async (table: string, key: string) => inner.row(table, key),
      read: (...args: Parameters<Log["read"]>) =>
        new Promise((resolve) => setImmediate(() => resolve(inner.read(...args)))),
      find: async (id: string) => inner.find(id),
      probe: async () => {},
    }),
  };
  return gate;
}
