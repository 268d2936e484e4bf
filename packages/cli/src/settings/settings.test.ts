// Flags over environment (and .env) over capstan.config.ts over defaults; and to whom the administrator's token goes.

import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { configKeys } from "@capstan/orchestrator";
import type { Io } from "../io.ts";
import { testIo } from "../test-io.ts";
import { CERTIFICATE } from "./self-signed.fixture.ts";
import { removeServerFile, type ServerFile, writeServerFile } from "./server-file.ts";
import { fileKeys } from "./setting.ts";
import { Settings } from "./settings.ts";
import { findTarget, shownPath, urlOf } from "./target.ts";
import { isLocal } from "./this-machine.ts";

function withFiles(files: Readonly<Record<string, string>>, env: Io["env"] = {}): Io {
  const io = testIo(env);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(io.cwd, name), text);
  return io;
}

const CONFIG = 'export default { name: "filed", data: "./state", allowHosts: ["a.example"], public: true };';

test("each source wins over those behind it, and is named", async () => {
  const io = withFiles(
    { "capstan.config.ts": CONFIG, ".env": "CAPSTAN_LISTEN=127.0.0.1:2\nCAPSTAN_NAME=dot\n" },
    { CAPSTAN_NAME: "env" },
  );
  const settings = new Settings(io, { name: "flag" });
  const file = join(io.cwd, "capstan.config.ts");
  expect(await settings.get("name")).toEqual({ value: "flag", source: "flag", where: "--name" });
  expect(await new Settings(io, {}).get("name")).toEqual({
    value: "env",
    source: "environment",
    where: "CAPSTAN_NAME",
  });
  expect(await settings.get("listen")).toEqual({ value: "127.0.0.1:2", source: ".env", where: "CAPSTAN_LISTEN" });
  expect(await settings.get("allowHosts")).toEqual({ value: ["a.example"], source: "file", where: file });
  expect(await settings.get("logLevel")).toEqual({ value: "info", source: "default" });
});

test("a path is relative to where it was said", async () => {
  const io = withFiles({ "capstan.config.ts": CONFIG });
  expect(await new Settings(io, {}).text("data")).toBe(join(io.cwd, "state"));
  mkdirSync(join(io.cwd, "below"));
  const below = { ...io, cwd: join(io.cwd, "below") };
  expect(await new Settings(below, { config: "../capstan.config.ts" }).text("data")).toBe(join(io.cwd, "state"));
  expect(await new Settings(below, { data: "x" }).text("data")).toBe(join(below.cwd, "x"));
});

test("lists and yes-or-no in the environment", async () => {
  const env = { CAPSTAN_ALLOW_HOST: "a, b,", CAPSTAN_PUBLIC: "yes", CAPSTAN_MEMORY: "0" };
  const settings = new Settings(testIo(env), {});
  expect((await settings.get("allowHosts")).value).toEqual(["a", "b"]);
  expect((await settings.get("public")).value).toBe(true);
  expect((await settings.get("memory")).value).toBe(false);
  await expect(new Settings(testIo({ CAPSTAN_PUBLIC: "perhaps" }), {}).get("public")).rejects.toMatchObject({
    code: "CONFIG_UNKNOWN",
  });
});

test("a variable that looks like ours and is not is named, with the one that was meant", () => {
  expect(new Settings(testIo({ CAPSTAN_LISTN: "x", CAPSTAN_DEBUG: "1", PATH: "" }), {}).unknownVariables()).toEqual([
    "CAPSTAN_LISTN is no setting; did you mean CAPSTAN_LISTEN?",
  ]);
});

test("a configuration that does not load, or does not fit, is one fault", async () => {
  const code = (text: string) =>
    new Settings(withFiles({ "capstan.config.ts": text }), {}).get("name").catch((error) => error.code);
  expect(await code("export default 5")).toBe("CONFIG_FILE_INVALID");
  expect(await code("let x = ;")).toBe("CONFIG_FILE_INVALID");
  expect(await code('throw new Error("no")')).toBe("CONFIG_FILE_INVALID");
  expect(await code('export default { nam: "x" }')).toBe("CONFIG_UNKNOWN");
  const keys = withFiles({ "capstan.config.ts": "export default { lsten: 1, foo: 1, bar: 1 }" });
  await expect(new Settings(keys, {}).get("name")).rejects.toThrow(
    /: unknown key "lsten", did you mean "listen"\?; unknown key "foo"; unknown key "bar"; known are name, [^;]+$/,
  );
  await expect(new Settings(testIo(), { config: "nope.ts" }).get("name")).rejects.toMatchObject({
    code: "CONFIG_FILE_INVALID",
  });
});

test("a configuration that does not load says where, and what was meant", async () => {
  const said = (text: string) =>
    new Settings(withFiles({ "capstan.config.ts": text }), {}).get("name").catch((error) => error.message);
  expect(await said('// mine\nthrow new Error("no");\n')).toEndWith(": it does not load: no (line 2, column 11)");
  const from = (name: string, module: string) =>
    said(`import { ${name} } from "@capstan/${module}";\nexport default { name: String(${name}) };\n`);
  expect(await from("defineConfig", "plugins")).toEndWith("; it is in '@capstan/orchestrator'");
  expect(await from("standrad", "plugins")).toEndWith("; did you mean 'standard'?");
  expect(await from("weather", "plugins")).toEndWith("not found in module '@capstan/plugins'");
});

test("a configuration is loaded for what it may say, and not to find that it does not say it", async () => {
  const text = 'import "./gone.ts";\nexport default { name: "osaka", plugins: [] };\n';
  const settings = new Settings(withFiles({ "capstan.config.ts": text }), {});
  expect(await settings.get("listen")).toEqual({ value: "127.0.0.1:7420", source: "default" });
  await expect(settings.get("name")).rejects.toMatchObject({ code: "CONFIG_FILE_INVALID" });
  expect([...fileKeys].sort()).toEqual([...configKeys].sort());
});

/** Where nobody can listen: at another port it might be another user's process, who gets no token. */
const SERVER: ServerFile = { url: "http://127.0.0.1:0", pid: 1, node: "n-1", modules: [] };

function running(): Io {
  const io = testIo();
  mkdirSync(join(io.cwd, ".capstan"));
  writeFileSync(join(io.cwd, ".capstan", "admin.token"), "secret\n");
  writeServerFile(join(io.cwd, ".capstan"), SERVER);
  return io;
}

test("a command finds the server that runs here, and its administrator's token", async () => {
  const io = running();
  const found = { url: SERVER.url, token: "secret", administrator: true, modules: [] };
  expect(await findTarget(new Settings(io, {}), io.cwd)).toEqual(found);
  removeServerFile(join(io.cwd, ".capstan"), { ...SERVER, pid: 2 });
  expect((await findTarget(new Settings(io, {}), io.cwd)).url).toBe(SERVER.url);
  removeServerFile(join(io.cwd, ".capstan"), SERVER);
  expect((await findTarget(new Settings(io, { listen: "127.0.0.2:1" }), io.cwd)).url).toBe("http://127.0.0.2:1");
  expect((await findTarget(new Settings(io, { token: "mine" }), io.cwd)).url).toBe("http://127.0.0.1:7420");
});

test("the administrator's token is sent to no other machine", async () => {
  const io = running();
  const target = (flags: object) => findTarget(new Settings(io, { ...flags }), io.cwd);
  await expect(target({ url: "http://example.com" })).rejects.toMatchObject({ code: "CREDENTIAL_MISSING" });
  await expect(target({ url: "http://127.0.0.1.example.com" })).rejects.toMatchObject({ code: "CREDENTIAL_MISSING" });
  expect(await target({ url: "http://example.com", token: "mine" })).toMatchObject({
    token: "mine",
    administrator: false,
  });
  await expect(target({ token: "a", tokenFile: "b" })).rejects.toMatchObject({ code: "USAGE_INVALID" });
});

test("a server here that listens where others reach it gets the token too, and nobody else at its address does", async () => {
  const io = running();
  const certificate = join(io.cwd, "c.pem");
  writeFileSync(certificate, CERTIFICATE);
  const target = (server: Partial<ServerFile>, flags: object = {}) => {
    writeServerFile(join(io.cwd, ".capstan"), { ...SERVER, ...server });
    return findTarget(new Settings(io, { ...flags }), io.cwd).then(
      ({ token }) => token,
      ({ code }) => code,
    );
  };
  const elsewhere = "http://203.0.113.7:7420"; // of RFC 5737: nobody's
  expect(await target({ url: elsewhere })).toBe("CREDENTIAL_MISSING");
  expect(await target({ url: "http://berlin.example:7420" })).toBe("CREDENTIAL_MISSING");
  // Nobody else has the key of that certificate.
  expect(await target({ url: "https://203.0.113.7:7420", certificate })).toBe("secret");
  expect(await target({ url: "https://berlin.example:7420", certificate })).toBe("secret");
  expect(await target({ url: "https://203.0.113.7:7420", certificate }, { ca: certificate })).toBe(
    "CREDENTIAL_MISSING",
  );
  expect(await target({ certificate }, { url: "https://203.0.113.7:7420" })).toBe("CREDENTIAL_MISSING");
  // It says who somebody is only where it is asked for; and what it is not is no certificate.
  expect(await target({ url: elsewhere, certificate })).toBe("CREDENTIAL_MISSING");
  writeFileSync(certificate, "-----BEGIN CERTIFICATE-----");
  expect(await target({ url: "https://203.0.113.7:7420", certificate })).toBe("CREDENTIAL_MISSING");
  for (const { address, family } of Object.values(networkInterfaces()).flatMap((all) => all ?? [])) {
    if (family === "IPv4") expect(await target({ url: `http://${address}:0` })).toBe("secret");
  }
});

test("a flag of the one wins over a variable of the other", async () => {
  const io = { ...running(), env: { CAPSTAN_TOKEN: "env" } };
  writeFileSync(join(io.cwd, "bob.token"), "bob\n");
  expect((await findTarget(new Settings(io, { tokenFile: "bob.token" }), io.cwd)).token).toBe("bob");
  expect((await findTarget(new Settings(io, {}), io.cwd)).token).toBe("env");
});

test("where nothing runs and nothing is named, that is what is said", async () => {
  const io = testIo();
  await expect(findTarget(new Settings(io, {}), io.cwd)).rejects.toMatchObject({ code: "UNREACHABLE" });
});

test("addresses", () => {
  expect(urlOf("127.0.0.1:7420")).toBe("http://127.0.0.1:7420");
  expect(urlOf("https://capstan.example/")).toBe("https://capstan.example");
  for (const bad of ["ftp://x", "http://x/path", "http://", ""]) expect(() => urlOf(bad)).toThrow("is no address");
  expect([
    isLocal("http://[::1]:1"),
    isLocal("http://localhost"),
    isLocal("http://127.1.2.3"),
    isLocal("http://10.0.0.1"),
  ]).toEqual([true, true, true, false]);
  expect([shownPath("/a/b", "/a"), shownPath("/a", "/a"), shownPath("/c", "/a")]).toEqual(["./b", ".", "/c"]);
});

test("what does not fit is named as it was said, by whatever said it", async () => {
  for (const [variable, text, told] of [
    ["CAPSTAN_URL", "ftp://x", 'CAPSTAN_URL: "ftp://x" is no address of a server'],
    ["CAPSTAN_URL", "http://u:p@h", "CAPSTAN_URL: no credential belongs into an address"],
    ["CAPSTAN_SERVER_PIN", "x", 'CAPSTAN_SERVER_PIN: "x" is no pin'],
    ["CAPSTAN_LISTEN", "zz", 'CAPSTAN_LISTEN: "zz" is no host:port'],
  ] as const) {
    const io = testIo({ [variable]: text });
    await expect(findTarget(new Settings(io, {}), io.cwd)).rejects.toThrow(told);
  }
});
