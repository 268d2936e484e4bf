// The command over a log of thousands of messages, as a process of its own: the configuration is loaded, the file is read, and
// neither it nor the world is another afterwards. (Ten thousand are decided in rehearsal.test.ts.)

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Rehearsal, rehearse, sqliteLog } from "@capstan/orchestrator";
import { composition, makeHistory, World } from "./ten-thousand.ts";

/** So many that what is told of them fills more than a pipe. */
const MESSAGES = 4_000;
const MAIN = join(import.meta.dir, "..", "..", "packages", "cli", "src", "main.ts");
const directory = mkdtempSync(join(tmpdir(), "capstan-rehearsal-"));
const inDirectory = (name: string) => join(directory, name);
let expected: Rehearsal;

beforeAll(async () => {
  const world = new World(inDirectory("world"));
  const log = sqliteLog(inDirectory("log.db"));
  await makeHistory(log, composition(world, 9, 17), 5, MESSAGES);
  expected = await rehearse({ log, plugins: composition(world, 10, 16), last: MESSAGES });
  await log.close();
  const config = (
    open: number,
    close: number,
  ) => `import { composition, World } from ${JSON.stringify(join(import.meta.dir, "ten-thousand.ts"))};
export default { plugins: composition(new World(${JSON.stringify(inDirectory("world"))}), ${open}, ${close}) };
`;
  writeFileSync(inDirectory("next.config.ts"), config(10, 16));
  writeFileSync(inDirectory("capstan.config.ts"), config(9, 17));
}, 120_000);

afterAll(() => rmSync(directory, { recursive: true }));

function files(): Record<string, string> {
  const names = readdirSync(directory);
  return Object.fromEntries(names.map((name) => [name, Bun.SHA256.hash(readFileSync(inDirectory(name)), "hex")]));
}

const spawned = (...argv: string[]) =>
  Bun.spawn([process.execPath, "--no-install", MAIN, ...argv], {
    cwd: directory,
    env: { PATH: process.env.PATH, NO_COLOR: "1" },
    stdout: "pipe",
    stderr: "pipe",
  });

async function capstan(...argv: string[]) {
  const start = performance.now();
  const child = spawned("rehearse", ...argv);
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  console.log(
    `rehearse ${argv.join(" ")}: ${(performance.now() - start).toFixed(0)} ms, start of the process included`,
  );
  return { out, err, code };
}

test("over the file of a node that stopped, it tells the same as a program would, and changes nothing", async () => {
  const before = files();
  expect(Object.keys(before)).toEqual(expect.arrayContaining(["log.db", "world"]));
  const { out, err, code } = await capstan("--config", "next.config.ts", "--file", "log.db", "--json");
  expect([err, code]).toEqual(["", 1]);
  // More than a pipe holds: it arrives whole all the same.
  expect(out.length).toBeGreaterThan(2 * 65_536);
  expect(JSON.parse(out)).toEqual(JSON.parse(JSON.stringify(expected)));
  expect(expected.differ).toBeGreaterThan(MESSAGES / 10);
  expect(files()).toEqual(before);
});

test("for people it shows fifty of them, and says how many more there are and that nothing was carried out", async () => {
  const { out, code } = await capstan("--config", "next.config.ts", "--file", "log.db");
  expect(code).toBe(1);
  const lines = out.trimEnd().split("\n");
  const shown = lines.filter((line) => line.includes("→"));
  expect(shown).toHaveLength(50);
  expect(shown[0]).toContain("(business-hours: open 10 to 16)");
  expect(lines.at(-3)).toBe(`… and ${(expected.differ - 50).toLocaleString("en-US")} more; --all shows them`);
  expect(lines.at(-1)).toBe(`nothing was carried out; state ${expected.state.before} before and after`);
});

test("over the wire, from the node that is running, it tells the same", async () => {
  const serving = ["--data", directory, "--listen", "127.0.0.1:0"];
  const server = spawned("serve", "--json", "--log-level", "silent", ...serving);
  try {
    // One line, once it listens.
    await server.stdout.getReader().read();
    const world = readFileSync(inDirectory("world"), "utf8");
    const { out, err } = await capstan("--config", "next.config.ts", "--data", directory, "--json", "--last", "20000");
    expect(err).toBe("");
    const report = JSON.parse(out) as Rehearsal;
    // What its start recorded of itself is there as well.
    expect(report.entries.to).toBeGreaterThanOrEqual(expected.entries.to);
    expect(report.differences).toEqual(JSON.parse(JSON.stringify(expected.differences)));
    expect([report.undecidable, report.state.same]).toEqual([0, true]);
    expect(readFileSync(inDirectory("world"), "utf8")).toBe(world);
  } finally {
    server.kill("SIGTERM");
    expect(await server.exited).toBe(0);
  }
});
