import { expect, test } from "bun:test";
import { describeLog } from "../conformance/conformance.ts";
import { memoryLog } from "./memory-log.ts";

describeLog(
  "memoryLog",
  async () => {
    const log = memoryLog();
    return {
      log,
      reopen: () => Promise.reject(new Error("a log in memory cannot be opened again")),
      dispose: async () => void (await log.close()),
    };
  },
  { reopen: "a log in memory ends with its process" },
);

test("a log in memory says that it is not durable", () => {
  const log = memoryLog();
  expect([log.durable, log.epoch]).toEqual([false, 1]);
});
