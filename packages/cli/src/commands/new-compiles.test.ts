// What `capstan plugin new` and `capstan protocol new` write compiles. One run of the compiler tells of both.

import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../index.ts";
import { testIo } from "../test-io.ts";

const ROOT = join(import.meta.dir, "..", "..", "..", "..");
// In the clone, so that its imports resolve; in node_modules, so that nothing else looks at it.
const RUNS = join(ROOT, "node_modules", ".capstan");
mkdirSync(RUNS, { recursive: true });
const home = mkdtempSync(join(RUNS, "new-compiles-"));

afterAll(() => rmSync(home, { recursive: true, force: true }));

test("a new protocol compiles, also as its README composes it; so does a new plugin, and in a wrong order not", async () => {
  expect(await run(["protocol", "new", "line-printer"], { ...testIo(), cwd: home })).toBe(0);
  const readme = readFileSync(join(home, "line-printer", "README.md"), "utf8");
  writeFileSync(join(home, "composed.ts"), /```ts\n([\s\S]*?)```/.exec(readme)?.[1] as string);

  expect(await run(["plugin", "new", "tea-time"], { ...testIo(), cwd: home })).toBe(0);
  const order = `import { createOrchestrator } from "@capstan/orchestrator";
import { auth, standard } from "@capstan/plugins";
import { teaTime } from "./tea-time/tea-time.ts";
await createOrchestrator({ plugins: [...standard(), teaTime()] });
await createOrchestrator({ plugins: [teaTime(), auth()] });
`;
  writeFileSync(join(home, "order.ts"), order);

  const options = { extends: join(ROOT, "tsconfig.json"), include: ["."] };
  writeFileSync(join(home, "tsconfig.json"), JSON.stringify(options));
  // On one thread: several check what they share once each.
  const compiler = [process.execPath, join(ROOT, "node_modules", ".bin", "tsc"), "--singleThreaded", "-p", home];
  const lines = Bun.spawnSync(compiler).stdout.toString().split("\n");
  // Paths are relative to where the compiler runs; what matters is which of the new files has an error, and where.
  const files = /\b((?:line-printer|tea-time)[^/]*\.ts|composed\.ts|order\.ts)\((\d+),/;
  expect(lines.flatMap((line) => files.exec(line)?.slice(1).join(":") ?? [])).toEqual(["order.ts:5"]);
}, 60_000);
