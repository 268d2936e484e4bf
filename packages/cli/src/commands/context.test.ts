// Contexts: what is kept of them and what is not, whom a command asks with one, and that nothing changes where there is none.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createOrchestrator, memoryLog, type Serving, serve } from "@capstan/orchestrator";
import { credentialDigest, standard } from "@capstan/plugins";
import { run } from "../index.ts";
import { writeServerFile } from "../settings/server-file.ts";
import { Settings } from "../settings/settings.ts";
import { findTarget } from "../settings/target.ts";
import { testIo } from "../test-io.ts";

const TOKEN = "a-credential-that-is-in-a-file-of-its-own";
let server: Serving;

beforeAll(async () => {
  const node = { id: "n-far", name: "far" };
  const hub = await createOrchestrator({ plugins: standard(), node, log: memoryLog() });
  using app = await hub.scope({ principal: "app", allow: ["*"] });
  await app.grant.create({ principal: "bob", allow: ["log.*"], credential: credentialDigest(TOKEN) });
  server = serve(hub, { listen: "127.0.0.1:0" });
});
afterAll(() => server.stop());

/** A user with a directory of configuration, and what they run. */
function user(env: Readonly<Record<string, string>> = {}) {
  const io = testIo();
  const home = join(io.cwd, "config");
  const file = join(home, "capstan", "contexts.json");
  writeFileSync(join(io.cwd, "bob.token"), `${TOKEN}\n`);
  const all = { XDG_CONFIG_HOME: home, ...env };
  async function capstan(...argv: string[]) {
    const one = { ...testIo(all), cwd: io.cwd };
    return { code: await run(argv, one), out: one.out(), err: one.err() };
  }
  const target = (flags: object = {}, more: object = {}) => {
    const one = { ...io, env: { ...all, ...more } };
    return findTarget(new Settings(one, { ...flags }), io.cwd);
  };
  return { cwd: io.cwd, file, capstan, target };
}

const far = (): string[] => ["--url", server.url, "--token-file", "bob.token"];

describe("capstan context", () => {
  test("names a server, asks it, and keeps the path of the credential's file alone", async () => {
    const { cwd, file, capstan } = user();
    expect(await capstan("context", "add", "far", ...far())).toEqual({
      code: 0,
      out: `context far  ${server.url}\n`,
      err: "  ask in it: capstan --context far …, or capstan context use far\n",
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(file, "..")).mode & 0o777).toBe(0o700);
    const kept = readFileSync(file, "utf8");
    expect(kept).not.toContain(TOKEN);
    expect(JSON.parse(kept)).toEqual({
      contexts: { far: { url: server.url, tokenFile: join(cwd, "bob.token") } },
    });
    // Not in use: here is no server.
    expect((await capstan("log", "head")).code).toBe(69);
    expect((await capstan("--context", "far", "log", "head")).out).toMatch(/^\d entries {2}n-far {2}far\n$/);
    expect((await capstan("context", "use", "far")).out).toBe("context far is in use\n");
    expect((await capstan("log", "head")).out).toContain("n-far");
    expect((await capstan("context", "list")).out).toBe(`*  far  ${server.url}  ${join(cwd, "bob.token")}\n`);
    expect(JSON.parse((await capstan("context", "show", "--json")).out)).toMatchObject({
      name: "far",
      url: server.url,
    });
    expect(JSON.parse((await capstan("config", "show", "--json")).out)).toMatchObject({
      context: { value: "far", source: "context" },
      url: { value: server.url, source: "context", where: "far" },
    });
    expect((await capstan("context", "use", "none")).out).toBe("no context is in use\n");
    expect((await capstan("log", "head")).code).toBe(69);
    expect((await capstan("context", "remove", "far")).out).toBe("removed context far\n");
    expect(JSON.parse((await capstan("context", "list", "--json")).out)).toEqual({ current: null, items: [] });
    expect(existsSync(join(cwd, "bob.token"))).toBe(true);
  });

  test("that is removed while in use leaves none in use", async () => {
    const { capstan } = user();
    await capstan("context", "add", "far", "--use", ...far());
    await capstan("context", "remove", "far");
    expect((await capstan("context", "show")).out).toBe("no context is in force\n");
  });

  test("refuses what it cannot keep, each with what to do", async () => {
    const { capstan } = user();
    const said = async (...argv: string[]) => {
      const { code, err } = await capstan("context", ...argv);
      return [code, err.trim()];
    };
    expect(await said("add", "far")).toEqual([64, expect.stringContaining("--url <url> is missing")]);
    expect(await said("add", "a b", ...far())).toEqual([64, expect.stringContaining("is no name of a context")]);
    expect(await said("add", "none", ...far())).toEqual([64, expect.stringContaining("is no name of a context")]);
    expect(await said("add", "far", "--url", server.url, "--token", TOKEN)).toEqual([
      64,
      expect.stringContaining("keeps no credential"),
    ]);
    expect(await said("add", "far", "--url", "http://ada:pass@x")).toEqual([64, expect.not.stringContaining("pass@")]);
    expect(await said("add", "far", "--url", server.url, "--token-file", "nope")).toEqual([
      65,
      expect.stringContaining("nope cannot be read"),
    ]);
    expect(await said("add", "far", "--url", server.url, "--ca", "bob.token")).toEqual([
      65,
      expect.stringContaining("holds no certificate"),
    ]);
    expect((await said("add", "far", ...far()))[0]).toBe(0);
    expect(await said("add", "far", ...far())).toEqual([73, expect.stringMatching(/^CONTEXT_EXISTS .*--replace/)]);
    expect((await said("add", "far", "--replace", ...far()))[0]).toBe(0);
    expect(await said("use", "fra")).toEqual([78, 'CONTEXT_UNKNOWN  there is no context "fra"; did you mean "far"?']);
    expect(await said("show", "__proto__")).toEqual([78, expect.stringMatching(/^CONTEXT_UNKNOWN/)]);
    expect((await capstan("--context", "fra", "log", "head")).err).toBe(
      'CONTEXT_UNKNOWN  --context: there is no context "fra"; did you mean "far"?\n',
    );
  });

  test("a file that is not ours is told of, and left", async () => {
    const { capstan, file } = user();
    mkdirSync(join(file, ".."), { recursive: true });
    for (const text of ["{", "[]", '{"contexts":{"far":{}}}', '{"contexts":{"far":{"url":"x","token":"y"}}}']) {
      writeFileSync(file, text);
      const { code, err } = await capstan("context", "add", "far", ...far());
      expect([code, err]).toEqual([78, expect.stringMatching(/^CONTEXTS_INVALID {2}/)]);
      expect(readFileSync(file, "utf8")).toBe(text);
      expect(existsSync(`${file}.new`)).toBe(false);
    }
  });

  test("many that are added at once are all kept, and one that died on the way is in nobody's way", async () => {
    const { capstan, file } = user();
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(`${file}.new`, "");
    utimesSync(`${file}.new`, 1, 1);
    const names = Array.from({ length: 8 }, (_, at) => `c${at}`);
    const codes = await Promise.all(names.map(async (name) => (await capstan("context", "add", name, ...far())).code));
    expect(codes).toEqual(names.map(() => 0));
    expect(Object.keys(JSON.parse(readFileSync(file, "utf8")).contexts).sort()).toEqual(names);
  });
});

describe("whom a command asks", () => {
  test("flags win over variables, those over a context, and that over the directory's own server", async () => {
    const { cwd, capstan, target } = user();
    mkdirSync(join(cwd, ".capstan"));
    writeFileSync(join(cwd, ".capstan", "admin.token"), "own\n");
    // At a port that nobody has: who listens at the usual one may be another user.
    const own = { url: "http://127.0.0.1:1", token: "own" };
    writeServerFile(join(cwd, ".capstan"), { url: own.url, pid: 1, node: "n-here", modules: [] });
    const inContext = { url: server.url, token: TOKEN };
    expect(await target()).toMatchObject(own);
    await capstan("context", "add", "far", "--use", ...far());
    expect(await target()).toMatchObject(inContext);
    expect(await target({ context: "none" })).toMatchObject(own);
    expect(await target({}, { CAPSTAN_CONTEXT: "none" })).toMatchObject(own);
    expect(await target({ data: join(cwd, ".capstan") })).toMatchObject(own);
    expect(await target({ tokenFile: "bob.token" })).toMatchObject(inContext);
    expect(await target({ token: "x" })).toMatchObject({ url: server.url, token: "x" });
    expect(await target({}, { CAPSTAN_TOKEN: "x" })).toMatchObject({ url: server.url, token: "x" });
    expect(await target({ context: "far" }, { CAPSTAN_TOKEN: "x", CAPSTAN_URL: "http://u" })).toMatchObject(inContext);
    await expect(target({ context: "far", url: "http://u" })).rejects.toMatchObject({ code: "USAGE_INVALID" });
  });

  test("whoever names a server otherwise does not send it the context's credential", async () => {
    const { capstan, target } = user();
    await capstan("context", "add", "far", "--use", ...far());
    for (const [flags, env] of [
      [{ url: "http://elsewhere.example" }, {}],
      [{}, { CAPSTAN_URL: "http://elsewhere.example" }],
      [{}, { CAPSTAN_URL: "http://elsewhere.example", CAPSTAN_CONTEXT: "far" }],
    ]) {
      await expect(target(flags, env)).rejects.toMatchObject({ code: "CREDENTIAL_MISSING" });
    }
  });

  test("without a home there is no context, and adding one says so", async () => {
    const io = testIo();
    expect(await run(["context", "add", "far", "--url", "http://x"], io)).toBe(73);
    expect(io.err()).toContain("set HOME or XDG_CONFIG_HOME");
  });
});
