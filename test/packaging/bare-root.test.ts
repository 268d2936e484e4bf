// What the Dockerfile asks of the machine, without Docker: the node as process 1 of a root that can only be read and has no
// more than the binary and its C library in it (bare-root.sh). It takes root on Linux; elsewhere a test says that it did not run.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compiled } from "./compiled.ts";

const LONGEST_MS = 30_000;
/** As in the Dockerfile. */
const USER = 65_532;
const can = process.platform === "linux" && process.getuid?.() === 0 && namespaces();

const GREET = `import { defineAction } from "@capstan/plugins";
import { z } from "zod";
export default defineAction({
  input: z.object({ name: z.string() }),
  output: z.object({ text: z.string() }),
  async run({ name }) {
    return { text: "Hello, " + name };
  },
});
`;

function namespaces(): boolean {
  try {
    return Bun.spawnSync(["unshare", "--mount", "--pid", "--fork", "setpriv", "--no-new-privs", "true"]).success;
  } catch {
    return false; // there is no unshare
  }
}

function suite(): void {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "capstan-bare-root-")));
  const [root, data, etc] = ["root", "data", "etc"].map((name) => join(home, name)) as [string, string, string];
  let binary: string;
  let node: Bun.Subprocess;

  function start(): Bun.Subprocess {
    const shell = ["sh", join(import.meta.dir, "bare-root.sh"), root, binary, data, etc, "serve", "--json"];
    return Bun.spawn(["unshare", "--mount", "--pid", "--fork", ...shell], {
      ...{ stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    });
  }

  async function started(): Promise<void> {
    node = start();
    const until = performance.now() + LONGEST_MS;
    while (!existsSync(join(data, "server.json")) && node.exitCode === null && performance.now() < until) {
      await Bun.sleep(20); // another process's file: there is nothing to await
    }
    if (node.exitCode !== null) throw new Error(await new Response(node.stderr as ReadableStream).text());
  }

  /** The node as the machine sees it; in there it is process 1. */
  function pid(): number {
    return Number(readFileSync(`/proc/${node.pid}/task/${node.pid}/children`, "utf8").trim());
  }

  function capstan(...words: string[]): string {
    const said = Bun.spawnSync([binary, "--data", data, ...words], { cwd: home, env: {} });
    return `${said.stdout}${said.success ? "" : said.stderr}`;
  }

  beforeAll(async () => {
    for (const path of [root, data, etc]) mkdirSync(path);
    chownSync(data, USER, USER);
    writeFileSync(join(etc, "greet.ts"), GREET);
    binary = await compiled();
    await started();
  }, 60_000);

  afterAll(async () => {
    // The node itself: what would end it with its parent does not outlive the change of the user.
    if (node?.exitCode === null) process.kill(pid(), "SIGKILL");
    await node?.exited;
    rmSync(home, { recursive: true, force: true });
  });

  test("it serves as process 1, as nobody in particular, without capabilities", () => {
    const status = readFileSync(`/proc/${pid()}/status`, "utf8");
    expect(status).toMatch(new RegExp(`^Uid:\\t${USER}\\t${USER}\\t${USER}\\t${USER}$`, "m"));
    expect(status).toMatch(/^NSpid:\t\d+\t1$/m);
    expect(status).toMatch(/^CapPrm:\t0+$/m);
    expect(capstan("health")).toMatch(/^ready {2}http:\/\/127\.0\.0\.1:\d+\n$/);
  });

  test("an action's module is bundled and run where nothing but /data can be written", () => {
    expect(capstan("action", "register", "greet", "--module", "/etc/capstan/greet.ts")).toStartWith(
      "registered greet@1",
    );
    expect(capstan("perform", "greet", '{"name":"Ada"}')).toBe('{"text":"Hello, Ada"}\n');
  });

  test("a script runs in a process of its own there", () => {
    writeFileSync(join(home, "upper.js"), "export default ({ text }) => ({ text: text.toUpperCase() });\n");
    expect(capstan("action", "register", "upper", "--script", "upper.js")).toStartWith("registered upper@1");
    expect(capstan("perform", "upper", '{"text":"quietly"}')).toBe('{"text":"QUIETLY"}\n');
  });

  test("SIGTERM drains and ends process 1 with 0", async () => {
    process.kill(pid(), "SIGTERM");
    expect(await node.exited).toBe(0);
    expect(existsSync(join(data, "server.json"))).toBe(false);
  });

  test("after a kill -9 process 1 starts again on the same data", async () => {
    await started();
    process.kill(pid(), "SIGKILL");
    await node.exited;
    rmSync(join(data, "server.json")); // of the one that was killed: the next one's is waited for
    await started();
    expect(capstan("perform", "greet", '{"name":"Bob"}')).toBe('{"text":"Hello, Bob"}\n');
    expect(capstan("log", "verify")).toMatch(/^\d+ entries, \d+ leaves, checkpoint of n-\w+: valid\n$/);
  });
}

if (can) describe("the node in a root that can only be read", suite);
else
  test("a root that can only be read takes root on Linux, with unshare and setpriv: not tried here", () =>
    expect(can).toBe(false));
