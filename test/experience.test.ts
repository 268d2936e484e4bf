// The first five minutes, command by command, as real processes in a directory outside of the clone: what the README shows
// is what happens. Ids, ports and durations differ from run to run; entry numbers do not.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { credentialDigest } from "@capstan/plugins";
import { type Ids, matches, steps, withIds } from "./docs/transcript.ts";

const MAIN = join(import.meta.dir, "..", "packages", "cli", "src", "main.ts");
const LONGEST_MS = 30_000;

const FILES = {
  "capstan.config.ts": `import { defineConfig } from "@capstan/orchestrator";
export default defineConfig({ name: "berlin", data: "./.capstan" });
`,
  "greet.ts": `import { defineAction } from "@capstan/plugins";
import { z } from "zod";
export default defineAction({
  input: z.object({ name: z.string() }),
  output: z.object({ text: z.string() }),
  idempotent: true,
  may: [],
  async run({ name }) {
    return { text: \`Hello, \${name}\` };
  },
});
`,
  "shout.ts": `import { defineAction } from "@capstan/plugins";
import { z } from "zod";
export default defineAction({
  input: z.object({ text: z.string() }),
  output: z.object({ text: z.string() }),
  run: ({ text }) => ({ text: text.toUpperCase() }),
});
`,
};

const BANNER = `node      n-7f3a  berlin
data      ./.capstan   (log.db 1 entry, node.key, admin.token 0600)
pipeline  auth ▸ registry ▸ dead-letter ▸ executor ▸ publisher ▸ peer-propagation ▸ ledger
open      http://127.0.0.1:7420   /rpc /v1 /openapi.json /events /metrics /healthz /readyz`;

const TRANSCRIPT = `$ capstan action register greet --module ./greet.ts
registered greet@1  {name: string} → {text: string}   entry 2
$ capstan perform greet '{"name":"Ada"}'
{"text":"Hello, Ada"}
  execution x-01J8   entries 3–4   3.1 ms
$ capstan perform greet '{"nmae":"Ada"}'; echo $?
INPUT_INVALID  greet: "name" is required; unknown "nmae", did you mean "name"?
  see: capstan explain m-01J9
65
$ capstan action register shout --module ./shout.ts
registered shout@1  {text: string} → {text: string}   entry 6
$ capstan batch - <<'E'
{"as":"a","resource":"action","action":"perform","data":{"name":"greet","input":{"name":"Ada"}}}
{"resource":"action","action":"perform","data":{"name":"shout","input":{"text":{"$from":"a.output.text"}}}}
E
{"line":1,"as":"a","result":{"execution":"x-01J1","output":{"text":"Hello, Ada"}}}
{"line":2,"result":{"execution":"x-01J2","output":{"text":"HELLO, ADA"}}}
2 done, 1 round trip, 4.0 ms
$ capstan grant create bob --allow action.perform:greet --out bob.token
grant g-2 → bob.token (0600)
$ capstan --token-file bob.token action remove greet; echo $?
REFUSED  g-2 allows action.perform:greet; asked action.remove:greet   m-01JB
77
$ capstan explain m-01JB
m-01JB  action.remove {name: greet}  by bob under g-2   REFUSED, nothing changed
  auth       refused   clause 1: verb "remove" is not "perform"
  registry…  not reached
$ capstan log verify
12 entries, 12 leaves, checkpoint of n-7f3a: valid
`;

describe("the first five minutes", () => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "capstan-experience-")));
  const directory = join(home, "work");
  const bin = join(home, "bin");
  const ids: Ids = new Map();
  const serverLog = join(home, "server.log");
  let server: Bun.Subprocess;

  const env = (): Record<string, string | undefined> => ({
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("CAPSTAN_"))),
    PATH: [bin, process.env.PATH].join(delimiter),
    CAPSTAN_LISTEN: "127.0.0.1:0",
    CAPSTAN_CONTEXT: "none",
    NO_COLOR: "1",
    FORCE_COLOR: undefined,
  });

  /** Both streams in one file, in the order in which they were written. */
  const spawn = (command: string, log: string): Bun.Subprocess => {
    const file = openSync(log, "w");
    return Bun.spawn({
      cmd: ["bash", "-c", command],
      cwd: directory,
      env: env(),
      stdin: "ignore",
      stdout: file,
      stderr: file,
    });
  };

  async function run(command: string): Promise<string> {
    const log = join(home, "output.log");
    const child = spawn(command, log);
    const timer = setTimeout(() => child.kill("SIGKILL"), LONGEST_MS);
    await child.exited;
    clearTimeout(timer);
    return readFileSync(log, "utf8");
  }

  /** Starts a server, and gives what it printed once that has `lines` lines. */
  async function serve(flags: string, lines: number): Promise<string> {
    server = spawn(`exec capstan serve --log-level silent ${flags}`, serverLog);
    const until = performance.now() + LONGEST_MS;
    const printed = (): string => readFileSync(serverLog, "utf8");
    while (printed().split("\n").length <= lines && server.exitCode === null && performance.now() < until) {
      await Bun.sleep(20); // another process's output: there is nothing to await
    }
    return printed();
  }

  function compare(expected: readonly string[], actual: string): void {
    if (!matches(expected, actual, ids)) expect(actual).toBe(`${expected.join("\n")}\n`);
  }

  beforeAll(() => {
    mkdirSync(directory);
    mkdirSync(bin);
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(directory, name), text);
    writeFileSync(join(bin, "capstan"), `#!/bin/sh\nexec '${process.execPath}' --no-install '${MAIN}' "$@"\n`);
    chmodSync(join(bin, "capstan"), 0o755);
  });

  afterAll(() => {
    server?.kill("SIGKILL");
    rmSync(home, { recursive: true, force: true });
  });

  test("$ capstan serve", async () => {
    compare(BANNER.split("\n"), await serve("", 4));
    expect(statSync(join(directory, ".capstan", "server.json")).mode & 0o777).toBe(0o600);
  });

  for (const { command, expected } of steps(TRANSCRIPT)) {
    test(`$ ${command.split("\n")[0]}`, async () => {
      compare(expected, await run(withIds(command, ids)));
    });
  }

  test("bob.token can be read by its owner alone, and only its digest was recorded", async () => {
    expect(statSync(join(directory, "bob.token")).mode & 0o777).toBe(0o600);
    const secret = readFileSync(join(directory, "bob.token"), "utf8").trim();
    expect(Buffer.from(secret, "base64url")).toHaveLength(32);
    const entry = await run("capstan log show 11 --json");
    expect(entry).toContain(credentialDigest(secret));
    expect(entry).not.toContain(secret);
    for (const file of ["log.db", "log.db-wal"]) {
      expect(readFileSync(join(directory, ".capstan", file), "latin1")).not.toContain(secret);
    }
  });

  test("SIGTERM drains and ends with 0, and the next start has every entry", async () => {
    server.kill("SIGTERM");
    expect(await server.exited).toBe(0);
    // Not where it listens by default: whose machine this is may have a node there.
    expect(await run("CAPSTAN_LISTEN=127.0.0.1:1 capstan log head; echo $?")).toMatch(/^UNREACHABLE {2}.*\n69\n$/);
    expect(JSON.parse(await serve("--json", 1))).toMatchObject({ name: "berlin", entries: 12 });
  });
});
