// A node that takes sessions over iroh, and the commands that ask it there: by its key, wherever they are.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { capstanIn, directory, type ServedNode, servedNode, start } from "../served-node.fixture.ts";

const cwd = directory();
const elsewhere = directory();
const SERVE = ["serve", "--memory", "--listen", "127.0.0.1:0", "--log-level", "silent"];
let node: ServedNode;
let url: string;
let key: string;

beforeAll(async () => {
  node = await servedNode(cwd, ["--iroh"]);
  url = JSON.parse(readFileSync(join(cwd, ".capstan", "server.json"), "utf8")).iroh;
  key = url.replace(/\?.*/, "");
  const bob = join(elsewhere, "bob.token");
  const allow = ["action.register", "action.perform", "action.list", "log", "node.metrics"];
  const made = await node.capstan("grant", "create", "bob", ...allow.flatMap((one) => ["--allow", one]), "--out", bob);
  expect(made.code).toBe(0);
});
afterAll(() => node[Symbol.asyncDispose]());

describe("capstan serve --iroh", () => {
  test("says where, at the start and to programs", async () => {
    expect(url).toMatch(/^iroh:\/\/[0-9a-f]{64}\?addr=127\.0\.0\.1:\d+$/);
    const other = start(directory(), [
      "serve",
      "--memory",
      "--iroh",
      "127.0.0.1:0",
      "--listen",
      "0",
      "--log-level",
      "silent",
    ]);
    await other.shows(/^iroh {6}iroh:\/\/[0-9a-f]{64}\?addr=127\.0\.0\.1:\d+$/m);
    expect(await other.stop()).toMatchObject({ code: 0 });
  });

  test("is asked by its key alone where its data directory is, as the administrator", async () => {
    expect((await node.capstan("--url", key, "log", "head")).out).toContain("entr");
    expect(await node.capstan("--url", key, "health")).toMatchObject({ code: 0, out: `ready  ${url}\n` });
  });

  test("is asked by every kind of command from elsewhere, with a credential and where it is", async () => {
    const ask = (...words: string[]) => capstanIn(elsewhere, ["--url", url, "--token-file", "bob.token", ...words]);
    expect((await ask("log", "head")).out).toContain("entr");
    expect(await ask("perform", "nope")).toMatchObject({ code: 1, err: expect.stringContaining("ACTION_UNKNOWN") });
    expect((await ask("top", "--once")).out).toContain("iroh://");
    expect(JSON.parse((await ask("--json", "log", "verify")).out)).toMatchObject({ valid: true });
    writeFileSync(
      join(elsewhere, "batch"),
      '{"resource":"log","action":"head"}\n{"resource":"action","action":"list"}\n',
    );
    expect((await ask("batch", "batch")).code).toBe(0);
    expect((await capstanIn(elsewhere, ["--url", url, "health"])).code).toBe(0);
  });

  test("gives the administrator's credential to no other key", async () => {
    const other = `iroh://3af193cd268a4457168eacff6e8d0e3786901bc9d322957448f28e4c3e33fb5f?addr=127.0.0.1:9`;
    expect(await node.capstan("--url", other, "log", "head")).toMatchObject({
      code: 77,
      err: expect.stringContaining("is another machine, and gets no"),
    });
  });

  test("where another key answers, or the address is none, is a fault in one line", async () => {
    const wrong = url.replace(/[0-9a-f]{64}/, "3af193cd268a4457168eacff6e8d0e3786901bc9d322957448f28e4c3e33fb5f");
    const ask = (at: string) => capstanIn(elsewhere, ["--url", at, "--token-file", "bob.token", "log", "head"]);
    const { code, err } = await ask(wrong);
    expect([code, err.split("\n").length, err]).toEqual([69, 2, expect.stringContaining("another key answers")]);
    expect(await ask(key)).toMatchObject({ code: 65, err: expect.stringMatching(/^IROH_ADDRESS_INVALID .*addr=/) });
    expect(await ask("iroh://berlin")).toMatchObject({ code: 65 });
  });

  test("can be a context's", async () => {
    const env = { XDG_CONFIG_HOME: elsewhere };
    const capstan = (...words: string[]) => capstanIn(elsewhere, words, { env });
    await capstan("context", "add", "berlin", "--url", url, "--token-file", "bob.token");
    expect((await capstan("--context", "berlin", "log", "head")).out).toContain("entr");
  });

  test("is refused where others could reach it, unless that is asked for", async () => {
    for (const words of [
      ["--iroh", "0.0.0.0:0"],
      ["--iroh", "--iroh-relay", "default"],
    ]) {
      const { code, err } = await capstanIn(directory(), [...SERVE, ...words]);
      expect([code, err]).toEqual([78, expect.stringMatching(/ADDRESS_REFUSED .*--public/)]);
    }
  });

  test("is off where the environment says so, whatever the configuration says", async () => {
    const place = directory();
    writeFileSync(join(place, "capstan.config.ts"), 'export default { iroh: "on" };\n');
    const shown = await capstanIn(place, ["config", "show"], { env: { CAPSTAN_IROH: "off" } });
    expect(shown.out).toMatch(/^iroh +off +environment/m);
  });
});
