// The doctor before a node that runs, one that is stopped and one that was killed, and before damage: it finds what is wrong, says
// what to do, ends with a code that a script can go by, and changes nothing.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { OperatedNode } from "./operated-node.ts";

setDefaultTimeout(60_000);

let node: OperatedNode;
beforeAll(async () => {
  node = await OperatedNode.start();
  // Not where a node listens by default: whose machine this is may have one there.
  writeFileSync(node.path("capstan.config.ts"), 'export default { listen: "127.0.0.1:0" };\n');
  for (let i = 0; i < 5; i++) await node.ran("perform", "echo", JSON.stringify("x".repeat(20_000)));
});
afterAll(() => node[Symbol.asyncDispose]());

interface Finding {
  readonly state: string;
  readonly about: string;
  readonly what: string;
  readonly todo?: string;
}

/** What it finds wrong in a directory, and its exit code; the directory must be after it what it was before. */
async function examined(data: string, ...flags: readonly string[]) {
  const before = filesOf(data);
  const { code, out } = await node.capstan("doctor", "--data", data, "--json", ...flags);
  const { ok, findings } = JSON.parse(out) as { readonly ok: boolean; readonly findings: readonly Finding[] };
  expect(filesOf(data)).toEqual(before);
  expect([ok, code]).toEqual(ok ? [true, 0] : [false, 1]);
  expect(findings.every(({ state, todo }) => (state === "ok") === (todo === undefined))).toBe(true);
  return { ok, all: findings, wrong: findings.filter(({ state }) => state !== "ok").map(lineOf) };
}

const lineOf = ({ state, about, what }: Finding): string => `${state} ${about}: ${what}`;

const filesOf = (data: string): string[] =>
  readdirSync(data, { recursive: true, encoding: "utf8" })
    .sort()
    // The running node writes its checkpoint when it is time.
    .filter((name) => data !== node.data || !name.startsWith("log.db.checkpoint"))
    .map((name) => {
      const stat = statSync(join(data, name));
      return `${name} ${stat.mode.toString(8)} ${stat.isFile() ? Bun.hash(readFileSync(join(data, name))) : ""}`;
    });

let count = 0;
/** The data as a kill leaves it. */
function killed(spoil: (data: string) => void = () => {}): string {
  const data = node.path(`killed-${++count}`);
  mkdirSync(data, { mode: 0o700 });
  // What is being written under another name is there no longer when it is looked at.
  const names = readdirSync(node.data).filter((one) => !one.endsWith(".tmp"));
  for (const name of names.filter((one) => statSync(join(node.data, one)).isFile())) {
    copyFileSync(join(node.data, name), join(data, name));
    chmodSync(join(data, name), statSync(join(node.data, name)).mode & 0o777);
  }
  for (const name of ["server.json", "log.db.pid"]) rmSync(join(data, name), { force: true });
  spoil(data);
  return data;
}

test("a running node is well, and is asked where only it can tell", async () => {
  for (const flags of [[], ["--deep"]]) {
    const { all, wrong } = await examined(node.data, ...flags);
    expect(wrong).toEqual([]);
    const said = all.map(lineOf).join("\n");
    expect(said).toMatch(
      flags.length === 0 ? /ok log: \d+ entries, as the running node says/ : /verified by the running node/,
    );
    expect(said).toMatch(/ok server: http:\/\/127\.0\.0\.1:\d+ answers: n-\w+, \d+ entries, version \d/);
  }
});

test("in words a line is `ok | warn | fail`, what, and what to do", async () => {
  const { out } = await node.ran("doctor");
  for (const line of out.trimEnd().split("\n")) expect(line).toMatch(/^(ok|warn|fail) {2,4}[a-z]+ {2,}\S/);
});

test("a node that was killed is well, and its log is verified from the file alone", async () => {
  const { ok, all } = await examined(killed(), "--deep");
  const said = all.map(lineOf).join("\n");
  expect([ok, said]).toEqual([true, expect.stringContaining("ok log: every entry, row and part is what was signed")]);
});

test("a flipped byte of the log, and a log that is gone, fail", async () => {
  const flipped = killed((data) => {
    for (const name of ["log.db", "log.db-wal"]) {
      const bytes = readFileSync(join(data, name));
      const at = bytes.indexOf("xxxxxxxx");
      if (at < 0) continue;
      bytes[at] = (bytes[at] as number) ^ 1;
      writeFileSync(join(data, name), bytes);
    }
  });
  expect((await examined(flipped)).wrong).toContainEqual(expect.stringMatching(/^fail log: .*is damaged/));
  const gone = killed((data) => {
    for (const name of ["log.db", "log.db-wal", "log.db-sums"]) rmSync(join(data, name));
  });
  expect((await examined(gone)).wrong).toContainEqual(
    expect.stringMatching(/^fail log: .*is gone, and its checkpoint/),
  );
});

test("a checkpoint that is older than the log, or not there, is warned of", async () => {
  const missing = killed((data) => rmSync(join(data, "log.db.checkpoint")));
  const { ok, wrong } = await examined(missing);
  expect([ok, wrong]).toEqual([
    true,
    [expect.stringMatching(/^warn log: .*log\.db\.checkpoint says nothing: it is not there$/)],
  ]);
});

test("a key with the wrong mode, one that is none, and one that is gone fail", async () => {
  const key = async (spoil: (path: string) => void) =>
    (await examined(killed((data) => spoil(join(data, "node.key"))))).wrong.join("\n");
  expect(await key((path) => chmodSync(path, 0o644))).toMatch(/fail key: .*has mode 0644/);
  expect(await key((path) => writeFileSync(path, "short", { mode: 0o600 }))).toMatch(/fail key: .*does not hold a key/);
  expect(await key((path) => rmSync(path))).toMatch(/fail key: .*node\.key is gone/);
  const other = Buffer.alloc(32, 7).toString("base64url");
  const foreign = await key((path) => writeFileSync(path, other, { mode: 0o600 }));
  expect(foreign).toMatch(/warn key: .*node\.pub does not tell of the key/);
  expect(foreign).toMatch(/warn key: the log does not know the key/);
});

test("a port that another node has, and a configuration that does not fit, fail", async () => {
  const { host } = new URL(node.url);
  const taken = await node.capstan("doctor", "--data", killed(), "--json", "--config", config(`{ listen: "${host}" }`));
  expect(taken.code).toBe(1);
  expect(taken.out).toMatch(new RegExp(`${host} is held by another node, n-`));
  const unfit = await node.capstan("doctor", "--data", killed(), "--config", config("{ listne: 1 }"));
  expect([unfit.code, unfit.out]).toEqual([
    1,
    expect.stringMatching(/^fail {2}config {2}CONFIG_UNKNOWN: .*did you mean "listen"/),
  ]);
});

function config(value: string): string {
  const name = `config-${++count}.ts`;
  writeFileSync(node.path(name), `export default ${value};\n`);
  return name;
}
