// A node and the commands that ask it, in one process: a plugin's messages are commands by themselves, and what fails says
// how.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../index.ts";
import { type TestIo, testIo } from "../test-io.ts";

const CONFIG = `import { defineConfig } from "@capstan/orchestrator";
import { standard } from "@capstan/plugins";
import { teaTime } from "./tea-time/tea-time.ts";
export default defineConfig({ name: "kyoto", listen: "127.0.0.1:0", logLevel: "silent", plugins: [...standard(), teaTime()] });
`;

const home = testIo();
const asked = Promise.withResolvers<void>();
const listening = Promise.withResolvers<void>();
let served: Promise<number>;

/** Another process in the same directory. */
function io(stdin = ""): TestIo {
  return { ...testIo({}, stdin), cwd: home.cwd };
}

async function capstan(argv: readonly string[], stdin?: string) {
  const one = io(stdin);
  return { code: await run(argv, one), out: one.out(), err: one.err() };
}

beforeAll(async () => {
  await run(["plugin", "new", "tea-time"], io());
  writeFileSync(join(home.cwd, "capstan.config.ts"), CONFIG);
  const server = { ...io(), stopped: () => asked.promise };
  const stdout = server.stdout;
  served = run(["serve", "--memory", "--json"], {
    ...server,
    stdout: (text) => {
      stdout(text);
      listening.resolve();
    },
  });
  await Promise.race([
    listening.promise,
    served.then((code) => listening.reject(new Error(`ended with ${code}: ${server.err()}`))),
  ]);
  expect(JSON.parse(server.out())).toMatchObject({
    name: "kyoto",
    log: "memory",
    entries: 1,
    pipeline: ["auth", "registry", "dead-letter", "executor", "publisher", "peer-propagation", "ledger", "tea-time"],
  });
});

afterAll(async () => {
  asked.resolve();
  expect(await served).toBe(0);
  expect(existsSync(join(home.cwd, ".capstan", "server.json"))).toBe(false);
});

test("a plugin's messages are commands, with its summaries and its faults", async () => {
  expect(await capstan(["teaTime", "put", "tea", "--text", "at four"])).toEqual({
    code: 0,
    out: '{"name":"tea"}\n',
    err: "",
  });
  expect(JSON.parse((await capstan(["tea-time", "get", "tea"])).out)).toMatchObject({ text: "at four", by: "admin" });
  expect((await capstan(["teaTime", "put", "--help"])).out).toContain("Keep a note.");
  expect((await capstan(["teaTime", "gte", "tea"])).err).toBe(
    'USAGE_INVALID  unknown command "gte"; did you mean "get"?\n',
  );
  expect((await capstan(["teatime", "get"])).err).toContain('did you mean "tea-time"?');
  expect((await capstan(["messages"])).out).toMatch(/^teaTime\.put +command +tea-time +Keep a note\.$/m);
  const long = await capstan(["teaTime", "put", "tea", "--text", "x".repeat(201)]);
  expect([long.code, long.err]).toEqual([
    1,
    expect.stringMatching(
      /^TEA_TIME_TOO_LONG {2}tea: 201 characters; 200 are taken\n {2}see: capstan explain m-\w+\n$/,
    ),
  ]);
});

test("a batch goes on where a line fails, and what used it fails with the same fault", async () => {
  const lines = [
    { as: "a", resource: "teaTime", action: "get", data: { name: "nothing" } },
    { as: "b", resource: "action", action: "describe", data: { name: "nope" } },
    { resource: "teaTime", action: "put", data: { name: { $from: "b.name" }, text: "x" } },
    { resource: "teaTime", action: "put", data: { name: "y", text: "x" } },
  ];
  const { code, out, err } = await capstan(["batch", "-"], lines.map((line) => JSON.stringify(line)).join("\n"));
  expect(
    out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toMatchObject([
    { line: 1, as: "a", result: null },
    { line: 2, as: "b", error: { code: "ACTION_UNKNOWN" } },
    { line: 3, error: { code: "ACTION_UNKNOWN" } },
    { line: 4, result: { name: "y" } },
  ]);
  expect([code, err]).toEqual([1, expect.stringMatching(/2 done, 2 failed, 1 round trip, [\d.]+ ms\n$/)]);
});

test("apply sends any message, whole or in parts", async () => {
  const whole = JSON.stringify({ resource: "teaTime", action: "put", data: { name: "z", text: "t" } });
  expect((await capstan(["apply"], whole)).out).toBe('{"name":"z"}\n');
  expect((await capstan(["apply", whole])).code).toBe(0);
  expect((await capstan(["apply", "teaTime", "get", '{"name":"z"}'])).out).toContain('"text":"t"');
  expect(await capstan(["apply", "teaTime", "gte"])).toMatchObject({
    code: 65,
    err: expect.stringContaining("did you mean teaTime.get?"),
  });
  expect((await capstan(["apply", "teaTime.get", '{"name":"z"}'])).out).toContain('"text":"t"');
  for (const [words, said] of [
    [["teaTime"], "apply teaTime: a verb is missing;"],
    [["teaTime", '{"name":"z"}'], "apply teaTime: a verb is missing;"],
    [["teaTime.get", "get", "{}"], 'apply teaTime.get: "{}" is one word too many;'],
    [[whole, "get"], 'apply: "get" follows a whole message;'],
  ] as const) {
    expect(await capstan(["apply", ...words])).toMatchObject({
      code: 64,
      err: expect.stringMatching(/^USAGE_INVALID .*; write capstan apply RESOURCE VERB/),
    });
    expect((await capstan(["apply", ...words])).err).toContain(said);
  }
  expect((await capstan(["apply", '{"resource":"a","action":"b","dat":1}'])).err).toContain('unknown "dat"');
});

test("a grant's file is new, its owner's, and gone where the grant was refused", async () => {
  const grant = (out: string, allow: string) =>
    capstan(["grant", "create", "bob", "--allow", allow, "--out", out, "--expires", "1h"]);
  expect((await grant("bob.token", "teaTime.get")).out).toBe("grant g-2 → bob.token (0600)\n");
  expect(statSync(join(home.cwd, "bob.token")).mode & 0o777).toBe(0o600);
  expect((await grant("bob.token", "teaTime.get")).code).toBe(73);
  expect((await grant("bad.token", "no clause")).code).toBe(65);
  expect(existsSync(join(home.cwd, "bad.token"))).toBe(false);
  const bob = ["--token-file", "bob.token"];
  expect((await capstan([...bob, "teaTime", "get", "tea"])).err).toContain("capstan apply RESOURCE VERB");
  expect((await capstan([...bob, "apply", "teaTime", "get", '{"name":"tea"}'])).out).toContain("at four");
  const refused = await capstan([...bob, "--json", "apply", "teaTime", "put", '{"name":"q","text":"t"}']);
  expect([refused.code, JSON.parse(refused.err).code]).toEqual([77, "REFUSED"]);
});

test("a clause that covers no message is warned of, and a seal says what it needs", async () => {
  const made = await capstan(["grant", "create", "eve", "--allow", "teaTime.gte:tea", "--out", "eve.token"]);
  expect([made.code, made.err]).toEqual([
    0,
    "warning: teaTime.gte:tea covers no message that there is; did you mean teaTime.get:tea?\n",
  ]);
  expect(await capstan(["grant", "seal"])).toEqual({
    code: 64,
    out: "",
    err: "USAGE_INVALID  --out <file> is missing; as in: capstan grant seal g-2 --out bob.seal\n",
  });
  expect((await capstan(["grant", "seal", "--out", "admin.seal"])).code).toBe(0);
});

test("a second server, a port in use and a wrong credential are a fault and a code each", async () => {
  const url = JSON.parse((await capstan(["config", "show", "--json"])).out).listen.value;
  expect(url).toBe("127.0.0.1:0");
  const { port } = new URL(JSON.parse(await Bun.file(join(home.cwd, ".capstan", "server.json")).text()).url);
  expect(await capstan(["serve", "--memory", "--data", "other", "--listen", `127.0.0.1:${port}`])).toMatchObject({
    code: 69,
    err: expect.stringMatching(/^PORT_IN_USE {2}/),
  });
  expect(await capstan(["serve", "--memory", "--data", "other", "--listen", "0.0.0.0:0"])).toMatchObject({
    code: 78,
    err: expect.stringMatching(/^ADDRESS_REFUSED {2}/),
  });
  expect(await capstan(["serve", "--data", "capstan.config.ts"])).toMatchObject({
    code: 73,
    err: expect.stringMatching(/^FILE_UNWRITABLE {2}/),
  });
  expect((await capstan(["--token", "wrong", "perform", "x"])).code).toBe(77);
  // Where this directory's node would be, another one is.
  const stopped = testIo({ CAPSTAN_LISTEN: `127.0.0.1:${port}` });
  mkdirSync(join(stopped.cwd, ".capstan"));
  writeFileSync(join(stopped.cwd, ".capstan", "admin.token"), "0123456789abcdef0123456789abcdef\n");
  expect([await run(["action", "list"], stopped), stopped.err()]).toEqual([
    69,
    `UNREACHABLE  the node of ./.capstan does not run, and another one answers at http://127.0.0.1:${port}, which does not know its credential; start it with capstan serve, or name another with --url\n`,
  ]);
});

test("a value that does not fit is named as it was said", async () => {
  const said = async (argv: readonly string[], env = {}) => {
    const one = { ...testIo(env), cwd: home.cwd };
    return [await run(["serve", "--memory", ...argv], one), one.err()];
  };
  expect(await said(["--log-level", "loud"])).toEqual([
    78,
    expect.stringMatching(/^CONFIG_UNKNOWN {2}--log-level: "loud" is not one of debug, /),
  ]);
  expect(await said(["--otel", "nonsense"])).toEqual([
    78,
    "CONFIG_UNKNOWN  --otel: it is no address of a collector, like http://127.0.0.1:4318\n",
  ]);
  expect(await said(["--tls-cert", "c.pem"])).toEqual([78, expect.stringMatching(/^TLS_INVALID .*--tls-key/)]);
  expect(await said([], { CAPSTAN_NAME: "a b" })).toEqual([
    78,
    'CONFIG_UNKNOWN  CAPSTAN_NAME: "a b": must be letters, digits and . _ -\n',
  ]);
  expect(await said(["--listen", "here"])).toEqual([
    78,
    'CONFIG_UNKNOWN  --listen: "here" is no host:port, like 127.0.0.1:7420\n',
  ]);
});

test("where it cannot listen as it was told to, no node is made", async () => {
  for (const words of ["--listen here", "--listen 0.0.0.0:0", "--iroh here", "--tls-cert nope --tls-key nope"]) {
    const one = testIo();
    expect(await run(["serve", ...words.split(" ")], one)).toBe(78);
    expect(existsSync(join(one.cwd, ".capstan"))).toBe(false);
  }
});

test("what http may reach is read before anything is served, and has no effect beside plugins of one's own", async () => {
  const one = testIo();
  expect(await run(["serve", "--memory", "--listen", "127.0.0.1:0", "--http-allow", "no/host"], one)).toBe(78);
  expect(one.err()).toMatch(/^CONFIG_UNKNOWN {2}--http-allow: "no\/host" is not of the form .*10\.0\.0\.0\/8/);
  const beside = { ...testIo(), cwd: home.cwd };
  await run(["serve", "--memory", "--http-allow", "10.0.0.0/8", "--data", "capstan.config.ts"], beside);
  expect(beside.err()).toContain(
    "warning: httpAllow has no effect where the configuration has plugins of its own; say http({",
  );
});
