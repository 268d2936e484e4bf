// A node that is served with TLS, and the commands that ask it: those of its own directory know its certificate, all others have
// to be told what it comes of.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { certificatePin } from "@capstan/orchestrator";
import { capstanIn, directory, type ServedNode, servedNode } from "../served-node.fixture.ts";
import { CERTIFICATE, KEY } from "../settings/self-signed.fixture.ts";

const cwd = directory();
const elsewhere = directory();
let node: ServedNode;

beforeAll(async () => {
  writeFileSync(join(cwd, "c.pem"), CERTIFICATE);
  writeFileSync(join(cwd, "k.pem"), KEY, { mode: 0o600 });
  node = await servedNode(cwd, ["--tls-cert", "c.pem", "--tls-key", "k.pem"]);
});
afterAll(() => node[Symbol.asyncDispose]());

const token = (): string[] => ["--token-file", join(cwd, ".capstan", "admin.token")];

describe("capstan serve --tls-cert --tls-key", () => {
  test("is asked over https and wss by the commands of its directory, which are told nothing", async () => {
    expect(node.url).toStartWith("https://127.0.0.1:");
    expect((await node.capstan("log", "head")).out).toContain("entr");
    // One that goes over a WebSocket.
    expect(await node.capstan("perform", "nope")).toMatchObject({
      code: 1,
      err: expect.stringContaining("ACTION_UNKNOWN"),
    });
    expect((await node.capstan("doctor")).out).toMatch(/^ok +server +https:.* answers: /m);
    expect(JSON.parse(readFileSync(join(cwd, ".capstan", "server.json"), "utf8")).certificate).toBe(join(cwd, "c.pem"));
  });

  test("is not believed by others, who are told how to", async () => {
    const local = node.url.replace("127.0.0.1", "localhost");
    for (const words of [
      ["log", "head"],
      ["perform", "nope"],
    ]) {
      const { code, err } = await capstanIn(elsewhere, ["--url", local, ...token(), ...words]);
      expect([code, err]).toEqual([
        76,
        expect.stringMatching(/^CERTIFICATE_REFUSED {2}https:\/\/localhost:\d+ is not known to be itself: .*--ca FILE/),
      ]);
    }
  });

  test("is believed by whoever knows its pin, under any name, and nobody else is", async () => {
    const pinned = (certificate: string) => ["--server-pin", certificatePin(certificate), ...token()];
    for (const words of [["log", "head"], ["perform", "nope"], ["health"]]) {
      const right = await capstanIn(elsewhere, ["--url", node.url, ...pinned(CERTIFICATE), ...words]);
      expect(right.out + right.err).toMatch(/entr|ACTION_UNKNOWN|ready/);
      const wrong = await capstanIn(elsewhere, [
        "--url",
        node.url,
        "--server-pin",
        `sha256-${"A".repeat(43)}`,
        ...token(),
        ...words,
      ]);
      expect([wrong.code, wrong.err]).toEqual([76, expect.stringMatching(/^CERTIFICATE_PIN_REFUSED {2}127/)]);
    }
    const both = ["--ca", join(cwd, "c.pem"), ...pinned(CERTIFICATE), "log", "head"];
    expect((await capstanIn(elsewhere, ["--url", node.url, ...both])).code).toBe(64);
    expect((await capstanIn(elsewhere, ["--url", node.url, "--server-pin", "x", ...token(), "log", "head"])).code).toBe(
      64,
    );
  });

  test("is believed by whoever has its certificate, under its names", async () => {
    const ca = ["--ca", join(cwd, "c.pem"), ...token()];
    for (const url of [
      node.url.replace("127.0.0.1", "localhost"),
      node.url.replace("https://127.0.0.1", "wss://localhost"),
    ]) {
      expect((await capstanIn(elsewhere, ["--url", url, ...ca, "log", "head"])).out).toContain("entr");
      expect((await capstanIn(elsewhere, ["--url", url, ...ca, "perform", "nope"])).err).toContain("ACTION_UNKNOWN");
    }
    const wrong = await capstanIn(elsewhere, ["--url", node.url, ...ca, "log", "head"]);
    expect([wrong.code, wrong.err]).toEqual([76, expect.stringMatching(/^CERTIFICATE_REFUSED .* is of another name;/)]);
    const none = await capstanIn(elsewhere, ["--url", node.url, ...token(), "--ca", join(cwd, "k.pem"), "log", "head"]);
    expect([none.code, none.err]).toEqual([65, expect.stringContaining("holds no certificate in PEM form")]);
  });

  test("can be a context, with what it comes of", async () => {
    const env = { XDG_CONFIG_HOME: join(elsewhere, "config") };
    const local = node.url.replace("127.0.0.1", "localhost");
    const added = ["context", "add", "berlin", "--use", "--url", local, "--ca", join(cwd, "c.pem"), ...token()];
    expect((await capstanIn(elsewhere, added, { env })).code).toBe(0);
    expect((await capstanIn(elsewhere, ["log", "head"], { env })).out).toContain("entr");
  });

  test("takes both or neither, and says what is wrong with a file", async () => {
    const said = async (...argv: string[]) => {
      const { code, err } = await capstanIn(cwd, [
        "serve",
        "--memory",
        "--data",
        "other",
        "--listen",
        "127.0.0.1:0",
        ...["--log-level", "silent", ...argv],
      ]);
      return [code, err.split("\n")[0]];
    };
    expect(await said("--tls-cert", "c.pem")).toEqual([78, expect.stringMatching(/^TLS_INVALID .*--tls-key/)]);
    expect(await said("--tls-cert", "c.pem", "--tls-key", "nope")).toEqual([
      78,
      expect.stringMatching(/^TLS_INVALID .*nope/),
    ]);
    expect(await said("--tls-cert", "k.pem", "--tls-key", "c.pem")).toEqual([
      78,
      expect.stringMatching(/^TLS_INVALID /),
    ]);
  });
});
