import { expect, test } from "bun:test";
import { runLog } from "./run-log.ts";

test("whatever a task's code logs names its run", () => {
  const lines: unknown[] = [];
  const write = (fields: object, text: string): void => void lines.push([fields, text]);
  const log = runLog({ debug: write, info: write, warn: write, error: write }, "x-1");
  log.info({ rows: 3 }, "imported");
  log.warn({ id: "m-1", message: "grant.create", principal: "admin", verdict: "done", run: "x-2" }, "decided");
  (log.error as unknown as (...all: unknown[]) => void)("plain");
  (log.debug as (fields: unknown, text: string) => void)(null, "nothing");
  const broken = new Error("it broke");
  (log.error as unknown as (...all: unknown[]) => void)(broken);
  expect(lines).toEqual([
    [{ rows: 3, run: "x-1" }, "imported"],
    [{ id: "m-1", message: "grant.create", principal: "admin", verdict: "done", run: "x-1" }, "decided"],
    [{ run: "x-1" }, "plain"],
    [{ run: "x-1" }, "nothing"],
    [{ err: broken, run: "x-1" }, "it broke"],
  ]);
});
