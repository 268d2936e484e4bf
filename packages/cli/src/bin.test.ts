// bin/capstan.mjs, in a clone of its own that is installed already, from a directory that is no package.

import { afterAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..", "..", "..");
const home = realpathSync(mkdtempSync(join(tmpdir(), "capstan-bin-")));
const clone = join(home, "clone");
const work = join(home, "work");

afterAll(() => rmSync(home, { recursive: true, force: true }));

test("what no package declares is not fetched and run", async () => {
  for (const directory of [work, join(clone, "node_modules", ".capstan")]) mkdirSync(directory, { recursive: true });
  for (const path of ["bin/capstan.mjs", "scripts/with-bun.mjs"]) cpSync(join(ROOT, path), join(clone, path));
  symlinkSync(join(ROOT, "packages"), join(clone, "packages"));
  writeFileSync(join(clone, "bun.lock"), "");
  const installed = { version: Bun.version, bun: process.execPath };
  writeFileSync(join(clone, "node_modules", ".capstan", "installed.json"), JSON.stringify(installed));
  writeFileSync(
    join(work, "capstan.config.ts"),
    'import isEven from "is-even";\nexport default { name: String(isEven(2)) };\n',
  );

  const asked: string[] = [];
  await using registry = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch({ url }) {
      asked.push(url);
      return new Response(null, { status: 404 });
    },
  });
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("CAPSTAN_"));
  const own = { BUN_CONFIG_REGISTRY: registry.url.href, BUN_INSTALL_CACHE_DIR: join(home, "cache") };
  const env = { ...Object.fromEntries(inherited), ...own };
  const child = Bun.spawn([process.execPath, join(clone, "bin", "capstan.mjs"), "config", "show"], {
    ...{ cwd: work, env, stdout: "pipe", stderr: "pipe" },
  });
  const [said, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  expect(said).toMatch(/^CONFIG_FILE_INVALID .*does not load: Cannot find package 'is-even'/);
  expect([code, asked]).toEqual([78, []]);
}, 60_000);
