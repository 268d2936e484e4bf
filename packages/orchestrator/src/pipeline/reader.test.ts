import { expect, test } from "bun:test";
import { notes } from "../testing/notes.fixture.ts";
import { admits, codeOf, start } from "../testing/start.fixture.ts";

test("whoever waits for what comes is told when the node stops, and so is whoever would wait then", async () => {
  const { orchestrator } = await start([admits(), notes()]);
  const { reader, committer } = orchestrator;
  const waiting = codeOf(reader.durableAfter(committer.tip, 60_000));
  await orchestrator.stop();
  expect(await waiting).toBe("STOPPING");
  expect(await codeOf(reader.durableAfter(committer.tip, 60_000))).toBe("STOPPING");
});
