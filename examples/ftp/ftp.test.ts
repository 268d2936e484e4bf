// The protocol by the suite that every protocol passes, and against Debian's vsftpd; what no real server does by itself, a
// scripted one does.

import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AnyPlugin, createOrchestrator, parseConfig } from "@capstan/orchestrator";
import { protocolConformance, standard } from "@capstan/plugins";
import config from "./capstan.config.ts";
import { ftp } from "./ftp.ts";
import { hasVsftpd, startVsftpd } from "./vsftpd.fixture.ts";

/** Answers each line that begins so; a server that hangs says nothing. */
function scripted(answers: Readonly<Record<string, string>>) {
  return Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (socket) => void socket.write("220 ready\r\n"),
      data(socket, bytes) {
        for (const line of bytes.toString().split("\r\n").slice(0, -1)) {
          const key = Object.keys(answers).find((one) => line.startsWith(one));
          if (key !== undefined) socket.write(`${answers[key]?.replace("$", line)}\r\n`);
        }
      },
    },
  });
}

const silent = scripted({});
// Some servers repeat what they were sent.
const repeating = scripted({ USER: "331 password", PASS: "530 $ is wrong", "": "500 what?" });
afterAll(() => {
  silent.stop(true);
  repeating.stop(true);
});
const at = (port: number, more: object) => ({ host: "127.0.0.1", port, tls: "none", ...more });

describe("an ftp action, whatever the server", () => {
  async function refused(configuration: Record<string, unknown>, input: unknown) {
    const hub = await createOrchestrator({ plugins: standard({ protocols: [ftp()] }) });
    const app = await hub.scope({ principal: "app", allow: ["*"] });
    await app.action.register({ name: "a", protocol: "ftp", configuration });
    const { code } = await app.action.perform({ name: "a", input }).catch((fault) => fault);
    await hub.stop({ graceMs: 0 });
    return code;
  }

  test("takes no path that leads out, and nothing that would be another command", async () => {
    for (const path of [
      "/etc/passwd",
      "../x",
      "a/../../x",
      "a//b",
      "./a",
      "",
      "a\r\nDELE b",
      "a\u0000",
      "x".repeat(1001),
    ]) {
      expect(await refused(at(silent.port, { operation: "get" }), { path })).toBe("INPUT_INVALID");
    }
    expect(await refused(at(silent.port, { operation: "put", maxBytes: 3 }), { path: "a", content: "four" })).not.toBe(
      undefined,
    );
  });

  test("is in the configuration beside the built-in protocols", async () => {
    const hub = await createOrchestrator({ plugins: parseConfig(config).plugins as readonly AnyPlugin[] as never });
    const app = (await hub.scope({ principal: "app", allow: ["*"] })) as never as {
      protocol: { list(): Promise<{ items: { name: string }[] }> };
    };
    expect((await app.protocol.list()).items.map(({ name }) => name)).toContain("ftp");
    await hub.stop();
  });
});

if (!hasVsftpd) {
  test("vsftpd is not installed here (apt-get install vsftpd), or the tests do not run as root: nothing else is tested", () => {});
} else {
  const server = await startVsftpd();
  afterAll(() => server.stop());
  writeFileSync(join(server.files, "hello.txt"), "Grüße");
  writeFileSync(join(server.files, "raw.bin"), Buffer.from([0xff, 0xfe, 0x00]));

  describe("the suite of every protocol, against vsftpd", () => {
    protocolConformance(
      { describe, test, expect },
      {
        protocol: ftp,
        works: () => ({
          configuration: at(server.port, { operation: "get" }),
          ...{ input: { path: "hello.txt" }, output: { size: 7, content: "Grüße" } },
        }),
        invalid: [
          { configuration: { host: "a" }, says: '"operation"' },
          { configuration: at(21, { operation: "delete" }), says: '"operation"' },
          { configuration: at(0, { operation: "get" }), says: '"port"' },
          { configuration: at(21, { operation: "get", directory: "srv" }), says: '"directory" must be absolute' },
          { configuration: at(21, { operation: "get", host: "a\r\nb" }), says: '"host"' },
          { configuration: at(21, { operation: "get", user: "a\r\nDELE b" }), says: '"user"' },
        ],
        unreachable: async () => ({
          configuration: at(1, { operation: "list" }),
          input: {},
          code: "FTP_UNREACHABLE",
        }),
        hangs: () => ({ configuration: at(silent.port, { operation: "list" }), input: {} }),
        fails: () => ({
          configuration: at(server.port, { operation: "get" }),
          ...{ input: { path: "missing.txt" }, code: "FTP_REFUSED" },
        }),
        leaks: (password) => ({
          configuration: at(repeating.port, { operation: "list", user: "ada", password }),
          input: {},
        }),
        notJson: () => ({
          configuration: at(server.port, { operation: "get" }),
          ...{ input: { path: "raw.bin" }, code: "FTP_NO_TEXT" },
        }),
      },
    );
  });

  describe("vsftpd", () => {
    async function performing() {
      const hub = await createOrchestrator({ plugins: standard({ protocols: [ftp()] }) });
      const app = await hub.scope({ principal: "app", allow: ["*"] });
      const register = (name: string, more: object) =>
        app.action.register({ name, protocol: "ftp", configuration: at(server.port, more) });
      const perform = async (name: string, input: unknown) =>
        (await app.action.perform({ name, input }).catch((fault) => ({ output: fault.code as unknown }))).output;
      return { hub, register, perform };
    }

    test("gets what was put, lists it, and is asked for no more than was said", async () => {
      const { hub, register, perform } = await performing();
      await register("put", { operation: "put", directory: "/in", maxBytes: 100 });
      await register("get", { operation: "get", directory: "/in", maxBytes: 10, encoding: "base64" });
      await register("list", { operation: "list" });
      expect(await perform("put", { path: "a.txt", content: "twelve bytes" })).toEqual({ size: 12 });
      expect(readFileSync(join(server.files, "in", "a.txt"), "utf8")).toBe("twelve bytes");
      expect(await perform("put", { path: "b.txt", content: "short" })).toEqual({ size: 5 });
      expect(await perform("put", { path: "c.txt", content: "x".repeat(101) })).toBe("FTP_TOO_LARGE");
      expect(await perform("get", { path: "b.txt" })).toEqual({ size: 5, content: "c2hvcnQ=" });
      expect(await perform("get", { path: "a.txt" })).toBe("FTP_TOO_LARGE");
      const names = ((await perform("list", { path: "in" })) as { name: string }[]).map(({ name }) => name).sort();
      // Nothing half done is left.
      expect(names).toEqual(["a.txt", "b.txt"]);
      await hub.stop();
    });
  });
}
