// Two machines peer in four commands: EXPERIENCE.md's transcript, with two nodes that are processes of their own, one of them
// under TLS, each in a directory that knows nothing of the other's but the invitation that is carried over.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selfSigned } from "./doors/certificate.ts";

const MAIN = join(import.meta.dir, "..", "packages", "cli", "src", "main.ts");
const LONGEST_MS = 30_000;
const GREET = `import { defineAction } from "@capstan/plugins";
import { z } from "zod";
export default defineAction({
  input: z.object({ name: z.string() }),
  output: z.object({ text: z.string() }),
  idempotent: true,
  async run({ name }) {
    return { text: \`Hello, \${name}\` };
  },
});
`;

describe("two machines peer in four commands", () => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "capstan-peering-")));
  const machines = { berlin: join(home, "berlin"), osaka: join(home, "osaka") };
  type Machine = keyof typeof machines;
  const servers: Bun.Subprocess[] = [];

  function spawn(machine: Machine, words: readonly string[]) {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("CAPSTAN_"));
    const env = { ...Object.fromEntries(inherited), CAPSTAN_CONTEXT: "none", NO_COLOR: "1", FORCE_COLOR: undefined };
    return Bun.spawn([process.execPath, "--no-install", MAIN, ...words], {
      ...{ cwd: machines[machine], env, stdin: "ignore", stdout: "pipe", stderr: "pipe", timeout: LONGEST_MS },
    });
  }

  async function capstan(machine: Machine, ...words: string[]) {
    const child = spawn(machine, words);
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    return { code: await child.exited, out, err };
  }

  /** Whether it does: another test's server may have its port for a moment. */
  async function serve(machine: Machine, ...words: string[]): Promise<boolean> {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("CAPSTAN_"));
    const server = Bun.spawn(
      [process.execPath, "--no-install", MAIN, "serve", "--json", "--log-level", "silent", "--name", machine, ...words],
      {
        cwd: machines[machine],
        env: Object.fromEntries(inherited),
        stdin: "ignore",
        stdout: "pipe",
        stderr: "inherit",
      },
    );
    servers.push(server);
    // Its one line says that it listens.
    const { done } = await server.stdout.getReader().read();
    return !done;
  }

  beforeAll(async () => {
    for (const directory of Object.values(machines)) {
      mkdirSync(directory);
      writeFileSync(join(directory, "greet.ts"), GREET);
    }
    const { cert, key } = selfSigned();
    writeFileSync(join(machines.berlin, "c.pem"), cert);
    writeFileSync(join(machines.berlin, "k.pem"), key, { mode: 0o600 });
    const serving = await Promise.all([
      serve("berlin", "--listen", "127.0.0.1:0", "--tls-cert", "c.pem", "--tls-key", "k.pem"),
      serve("osaka", "--listen", "127.0.0.1:0"),
    ]);
    expect(serving).toEqual([true, true]);
    const registered = await Promise.all([
      capstan("berlin", "action", "register", "greet", "--module", "./greet.ts"),
      capstan("osaka", "action", "register", "report.daily", "--module", "./greet.ts"),
      capstan("osaka", "action", "register", "report.weekly", "--module", "./greet.ts"),
    ]);
    expect(registered.map(({ code }) => code)).toEqual([0, 0, 0]);
  }, LONGEST_MS);
  afterAll(async () => {
    for (const server of servers) server.kill("SIGKILL");
    await Promise.all(servers.map(({ exited }) => exited));
    rmSync(home, { recursive: true, force: true });
  });

  test("$ capstan peer invite osaka --import 'action:report.*' --export action:greet --out osaka.invite", async () => {
    const words = ["--import", "action:report.*", "--export", "action:greet", "--out", "osaka.invite"];
    const { out, err } = await capstan("berlin", "peer", "invite", "osaka", ...words);
    expect([out, err.includes("warning")]).toEqual([
      "wrote osaka.invite (0600: url, node id, certificate pin, pair secret; once, 1 h)\n",
      false,
    ]);
    expect(statSync(join(machines.berlin, "osaka.invite")).mode & 0o777).toBe(0o600);
    copyFileSync(join(machines.berlin, "osaka.invite"), join(machines.osaka, "osaka.invite"));
  });

  test("$ capstan peer add berlin --invite osaka.invite --import action:greet --export 'action:report.*'", async () => {
    const words = ["--invite", "osaka.invite", "--import", "action:greet", "--export", "action:report.*"];
    const { out, err } = await capstan("osaka", "peer", "add", "berlin", ...words);
    expect([out, err]).toEqual([
      expect.stringMatching(/^established berlin n-[0-9a-f]+ {3}in 1 \(0 filtered\) {3}out 2\n$/),
      "",
    ]);
  });

  test(`$ capstan perform greet '{"name":"Yuki"}'`, async () => {
    const { out, err } = await capstan("osaka", "perform", "greet", '{"name":"Yuki"}');
    expect(out).toBe('{"text":"Hello, Yuki"}\n');
    expect(err).toMatch(/^ {2}execution x-\w+ {3}via berlin {3}entries /);
    // And the other way.
    const report = await capstan("berlin", "perform", "report.weekly", '{"name":"Ada"}');
    expect(report).toMatchObject({ out: '{"text":"Hello, Ada"}\n', err: expect.stringContaining("via osaka") });
  });

  test("kill -9, and a start: the session is there again, and the action is performed", async () => {
    const [berlin] = servers as [Bun.Subprocess, Bun.Subprocess];
    const listen = new URL((await Bun.file(join(machines.berlin, ".capstan", "server.json")).json()).url).host;
    berlin.kill("SIGKILL");
    await berlin.exited;
    const until = performance.now() + LONGEST_MS;
    const words = ["--listen", listen, "--tls-cert", "c.pem", "--tls-key", "k.pem"];
    while (!(await serve("berlin", ...words)) && performance.now() < until);
    expect(existsSync(join(machines.berlin, ".capstan", "peers"))).toBe(true);
    let performed: Awaited<ReturnType<typeof capstan>>;
    do performed = await capstan("osaka", "perform", "greet", '{"name":"Yuki"}');
    while (performed.code !== 0 && performance.now() < until);
    expect(performed).toMatchObject({ code: 0, out: '{"text":"Hello, Yuki"}\n' });
  });
});
