import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NodeInfo } from "@capstan/orchestrator";
import { quote } from "../../registry/quote.ts";
import { callOf, faultFrom, perform } from "../template/call.fixture.ts";
import { process as processProtocol } from "./process.ts";

const protocol = processProtocol();
const node = {} as NodeInfo;
const sh = (script: string, ...more: string[]) => ({ argv: ["/bin/sh", "-c", script, ...more], cwd: "/" });

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "capstan-process-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe("a program", () => {
  test("is given each element as one argument, whatever is in it", async () => {
    const input = { a: "$(id) `id`; rm -rf / | x > y * ? \" ' \\ \n end", n: 7, b: true };
    const argv = ["/usr/bin/printf", "%s\\0", "{{input.a}}", "--n={{input.n}}", "{{input.b}}", "{{input.x?}}", "", "é"];
    const output = await perform(protocol, { argv, cwd: "/" }, { input });
    expect(output).toBe(`${[input.a, "--n=7", "true", "", "é"].join("\0")}\0`);
  });

  test("has the environment that was said, and nothing of the node's", async () => {
    process.env.CAPSTAN_TEST_CANARY = "canary-of-the-node";
    const env = { A: "x-{{input.a}}", B: { secret: "env:B" }, C: "{{input.c?}}", E: "" };
    const configuration = { argv: ["/usr/bin/env"], cwd: "/", env, stdout: "lines" };
    const lines = (await perform(protocol, configuration, {
      input: { a: 1 },
      secrets: { "env:B": "b{{c" },
      traceparent: "00-1",
    })) as string[];
    delete process.env.CAPSTAN_TEST_CANARY;
    expect(lines.toSorted().map((line) => line.replace(/(?<=^CAPSTAN_RUN=).*/, "…"))).toEqual([
      "A=x-1",
      "B=b{{c",
      "CAPSTAN_RUN=…",
      "E=",
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "TRACEPARENT=00-1",
    ]);
  });

  test("has no terminal, and no file of the node's open", async () => {
    const output = await perform(protocol, {
      ...sh("ls /proc/$$/fd; tty; cut -d' ' -f1,5,6 /proc/$$/stat"),
      stdout: "lines",
      expect: [0, 1],
    });
    const [, , , ...rest] = output as string[];
    expect((output as string[]).slice(0, 3)).toEqual(["0", "1", "2"]);
    expect(rest[0]).toBe("not a tty");
    const [pid, group, session] = (rest[1] ?? "").trim().split(/\s+/);
    expect(session).toBe(pid);
    expect(group).toBe(pid);
  });

  test("runs in the directory that was said", async () => {
    mkdirSync(join(directory, "a b"));
    const output = await perform(protocol, { argv: ["/bin/pwd"], cwd: join(directory, "a b"), stdout: "lines" });
    expect(output).toEqual([join(directory, "a b")]);
  });

  test("reads the input as JSON, a template's text, a secret, or nothing", async () => {
    const cat = { argv: ["/bin/cat"], cwd: "/" };
    const input = { a: [1, "é"] };
    expect(await perform(protocol, { ...cat, stdin: "json", stdout: "json" }, { input })).toEqual(input);
    expect(await perform(protocol, { ...cat, stdin: { text: "<{{input.a.1}}>" } }, { input })).toBe("<é>");
    const stdin = { text: { secret: "env:S" } };
    expect(await perform(protocol, { ...cat, stdin }, { secrets: { "env:S": "{{x" } })).toBe("{{x");
    expect(await perform(protocol, cat, { input })).toBe("");
  });

  test("may close its stdin unread: that breaks nothing", async () => {
    const input = "x".repeat(8 * 1024 * 1024);
    expect(await perform(protocol, { ...sh("exec 0<&-; echo done"), stdin: "json" }, { input })).toBe("done\n");
  });

  test("may be larger in what it reads and writes than a pipe holds", async () => {
    const input = "x".repeat(3 * 1024 * 1024);
    const configuration = { argv: ["/bin/cat"], cwd: "/", stdin: { text: "{{input}}" }, maxBytes: 4 * 1024 * 1024 };
    expect(await perform(protocol, configuration, { input })).toHaveLength(input.length);
  });
});

describe("an argument that the input begins", () => {
  const argv = (...more: string[]) => ({ argv: ["/bin/echo", ...more], cwd: "/" });
  test("is no option", async () => {
    const fault = await faultFrom(() => perform(protocol, argv("{{input.v}}"), { input: { v: "--upload-pack=x" } }));
    expect(fault.code).toBe("TEMPLATE_VALUE_REFUSED");
    expect(fault.message).toBe(
      'it: {{input.v}} begins with "-", and would be an option; a literal "--" before it, or text such as --name= at its beginning, says what it is',
    );
    const input = { v: "-x" };
    expect(await perform(protocol, argv("--v={{input.v}}"), { input })).toBe("--v=-x\n");
    expect(await perform(protocol, argv("--", "{{input.v}}"), { input })).toBe("-- -x\n");
    expect(await perform(protocol, argv("{{input.v}}"), { input: { v: "x-y" } })).toBe("x-y\n");
    expect((await faultFrom(() => perform(protocol, argv("{{input.a?}}{{input.v}}"), { input }))).code).toBe(
      "TEMPLATE_VALUE_REFUSED",
    );
  });

  test.each([
    ["a NUL", "a\0b"],
    ["half a character", "\ud800"],
    ["an object", {}],
    ["more than a program can be given", "x".repeat(128 * 1024)],
  ])("is not %s", async (_, v) => {
    const fault = await faultFrom(() => perform(protocol, argv("{{input.v}}"), { input: { v } }));
    expect(fault.code).toBe("TEMPLATE_VALUE_REFUSED");
  });
});

describe("the output", () => {
  test("is text, lines or JSON", async () => {
    expect(await perform(protocol, sh("printf 'a\\nb'"))).toBe("a\nb");
    expect(await perform(protocol, { ...sh("printf 'a\\r\\n\\nb\\n'"), stdout: "lines" })).toEqual(["a", "", "b"]);
    expect(await perform(protocol, { ...sh(":"), stdout: "lines" })).toEqual([]);
    expect(await perform(protocol, { ...sh("echo '{\"a\":1}'"), stdout: "json" })).toEqual({ a: 1 });
    for (const script of ["echo no", ":", "printf '\"\\377\"'"]) {
      const fault = await faultFrom(() => perform(protocol, { ...sh(script), stdout: "json" }));
      expect(fault.code).toBe("PROCESS_OUTPUT_INVALID");
    }
  });

  test("that is no UTF-8 has U+FFFD where it is not", async () => {
    expect(await perform(protocol, sh("printf 'a\\377b\\303'"))).toBe("a\ufffdb\ufffd");
  });

  test("can be the code and the end of stderr as well", async () => {
    const configuration = { ...sh("echo out; echo err >&2; exit 3"), answer: "result", expect: [0, 3] };
    expect(await perform(protocol, configuration)).toEqual({ code: 3, stdout: "out\n", stderr: "err\n" });
  });

  test("of exactly maxBytes is taken; of more it ends the program", async () => {
    expect(await perform(protocol, { ...sh("printf 12345"), maxBytes: 5 })).toBe("12345");
    const fault = await faultFrom(() => perform(protocol, { ...sh("printf 123456"), maxBytes: 5 }));
    expect(fault).toMatchObject({
      code: "PROCESS_OUTPUT_TOO_LARGE",
      message: expect.stringContaining('"maxBytes", 5'),
    });
    const endless = await faultFrom(() => perform(protocol, { argv: ["/usr/bin/yes"], cwd: "/" }));
    expect(endless.code).toBe("PROCESS_OUTPUT_TOO_LARGE");
  });

  test("to stderr may be endless: the end of it is kept", async () => {
    const script = "i=0; while [ $i -lt 20000 ]; do echo line-$i; i=$((i+1)); done >&2; exit 1";
    const { details } = await faultFrom(() => perform(protocol, sh(script)));
    const { stderr } = details as { stderr: string };
    expect(stderr.length).toBeLessThanOrEqual(4096);
    expect(stderr).toEndWith("line-19999\n");
  });
});

describe("a failure", () => {
  test("says the code and the last line of stderr, which moves no cursor", async () => {
    const fault = await faultFrom(() => perform(protocol, sh("printf 'a\\nb\\033[31m\\r\\n' >&2; exit 7")));
    expect(fault).toMatchObject({
      code: "PROCESS_FAILED",
      message: 'it: "/bin/sh" exited with 7: b\\u001b[31m',
      details: { code: 7, stderr: "a\nb\\u001b[31m\n" },
    });
  });

  test("says the signal", async () => {
    const fault = await faultFrom(() => perform(protocol, sh("kill -SEGV $$")));
    expect(fault).toMatchObject({ code: "PROCESS_FAILED", message: 'it: "/bin/sh" was ended by SIGSEGV' });
    expect(fault.details).toMatchObject({ code: null, signal: "SIGSEGV" });
  });

  test("has no secret in it, not even a part of one that is cut", async () => {
    const secret = "canary-0123456789abcdef";
    const env = { S: { secret: "env:S" } };
    // The cut at 4096 characters falls into the secret.
    const script = 'printf "%s%04085d" "$S" 0 >&2; exit 1';
    const fault = await faultFrom(() => perform(protocol, { ...sh(script), env }, { secrets: { "env:S": secret } }));
    expect(JSON.stringify(fault)).not.toContain("abcdef");
    expect(fault.details).toMatchObject({ code: 1 });
  });
});

describe("what is registered", () => {
  const inspect = async (configuration: object, of = protocol) =>
    of.inspect?.(callOf(of, configuration).configuration, node) as Promise<{ configuration: { argv: string[] } }>;

  test("is an absolute path, found on a fixed path, and the right is on that", async () => {
    const before = process.env.PATH;
    process.env.PATH = directory;
    const found = await inspect({ argv: ["sh", "-c", "x"], cwd: "/" });
    process.env.PATH = before;
    expect(found.configuration.argv.slice(1)).toEqual(["-c", "x"]);
    expect(found.configuration.argv[0]).toMatch(/^\/(usr\/)?bin\/sh$/);
    expect(protocol.rights?.(found.configuration as never)).toEqual([
      { resource: "process", verb: "run", name: found.configuration.argv[0] as string },
    ]);
  });

  test("looks where the operator says", async () => {
    const program = join(directory, "own-tool");
    writeFileSync(program, "#!/bin/sh\necho own\n");
    chmodSync(program, 0o755);
    const own = processProtocol({ path: [directory] });
    expect((await inspect({ argv: ["own-tool"], cwd: "/" }, own)).configuration.argv).toEqual([program]);
    expect(await perform(own, { argv: ["own-tool"], cwd: "/" })).toBe("own\n");
  });

  test.each([
    [{ argv: ["/nowhere/program"], cwd: "/" }, "is not there"],
    [{ argv: ["/etc"], cwd: "/" }, "is no regular file"],
    [{ argv: ["/etc/passwd"], cwd: "/" }, "may not be executed"],
    [{ argv: ["no-such-program-x"], cwd: "/" }, "no program"],
    [{ argv: ["/bin/true"], cwd: "/nowhere" }, "is not there"],
    [{ argv: ["/bin/true"], cwd: "/etc/hostname" }, "is no directory"],
  ])("%j is refused then, and again when it runs", async (configuration, problem) => {
    const fault = await faultFrom(() => callOf(protocol, configuration));
    expect(fault).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining(problem) });
  });

  test.each([
    [{ argv: [], cwd: "/" }, "argv"],
    [{ argv: [""], cwd: "/" }, '"argv[0]"'],
    [{ argv: ["{{input.program}}"], cwd: "/" }, '"argv[0]"'],
    [{ argv: ["./x"], cwd: "/" }, '"argv[0]"'],
    [{ argv: ["/usr/bin/../../tmp/x"], cwd: "/" }, '"argv[0]"'],
    [{ argv: ["/usr//bin/x"], cwd: "/" }, '"argv[0]"'],
    [{ argv: [".."], cwd: "/" }, '"argv[0]"'],
    [{ argv: ["true"], cwd: "relative" }, '"cwd"'],
    [{ argv: ["sh; id"], cwd: "/" }, '"argv[0]"'],
    [{ argv: ["/bin/true", "a\0b"], cwd: "/" }, "NUL"],
    [{ argv: ["/bin/true"], cwd: "/tmp/.." }, '"cwd"'],
    [{ argv: ["/bin/true"] }, "cwd"],
    [{ argv: ["/bin/true", "{{input.x"], cwd: "/" }, "argv"],
    [{ argv: ["/bin/true"], cwd: "/", env: { "A=B": "x" } }, "no name of a variable"],
    [{ argv: ["/bin/true"], cwd: "/", env: { LD_PRELOAD: "/x.so" } }, "LD_PRELOAD"],
    [{ argv: ["/bin/true"], cwd: "/", env: { GCONV_PATH: "/x" } }, "GCONV_PATH"],
    [{ argv: ["/bin/true"], cwd: "/", env: { CAPSTAN_RUN: "x" } }, "CAPSTAN_RUN"],
    [{ argv: ["/bin/true"], cwd: "/", env: { A: "{{x}}" } }, "env"],
    [{ argv: ["/bin/true"], cwd: "/", shell: true }, "shell"],
    [{ argv: "/bin/true", cwd: "/" }, "argv"],
  ])("%j is refused", async (configuration, problem) => {
    const fault = await faultFrom(() => callOf(protocol, configuration));
    expect(fault).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining(problem) });
  });

  test("that the machine cannot start is a failure", async () => {
    const program = join(directory, "no-interpreter");
    writeFileSync(program, "#!/nowhere/interpreter\n");
    chmodSync(program, 0o755);
    const fault = await faultFrom(() => perform(protocol, { argv: [program], cwd: "/" }));
    expect(fault).toMatchObject({
      code: "PROCESS_FAILED",
      message: `it: ${quote(program)} could not be started: ENOENT`,
    });
  });
});
