// The compiled binary where nothing else is: no Bun, no node_modules, no environment. What it does is what a clone does.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { steps } from "../docs/transcript.ts";
import { compiled, EmptyPlace } from "./compiled.ts";

const FILES = {
  "greet.ts": `import { defineAction } from "@capstan/plugins";
import { z } from "zod";
import { hello } from "./words/hello.ts";
export default defineAction({
  input: z.object({ name: z.string() }),
  output: z.object({ text: z.string() }),
  idempotent: true,
  async run({ name }) {
    return { text: hello(name) };
  },
});
`,
  "upper.js": "export default function ({ text }) {\n  return { text: text.toUpperCase() };\n}\n",
  "words/hello.ts": 'export const hello = (name: string): string => ["Hello", name].join(", ");\n',
};

const CONFIG = `import { defineConfig } from "@capstan/orchestrator";
import { auth, deadLetter, executor, ledger, module, publisher, registry, script } from "@capstan/plugins";
import { linePrinter } from "./line-printer/line-printer.ts";
import { teaTime } from "./tea-time/tea-time.ts";
const protocols = [module(), script(), linePrinter()];
export default defineConfig({
  name: "osaka",
  plugins: [auth(), teaTime(), registry(), deadLetter(), executor({ protocols }), publisher(), ledger()],
});
`;

const TRANSCRIPT = `$ capstan --version
${packageJson.version}
$ capstan health; echo $?
ready  http://127.0.0.1:7420
0
$ capstan action register greet --module ./greet.ts
registered greet@1  {name: string} → {text: string}   entry 2
$ capstan perform greet '{"name":"Ada"}'
{"text":"Hello, Ada"}
  execution x-01J8   entries 3–4   3.1 ms
$ capstan action register upper --script ./upper.js
registered upper@1  …
$ capstan perform upper '{"text":"quietly"}'
{"text":"QUIETLY"}
…
$ capstan action register loud --module ./greet.ts --transform-output '{"text": $uppercase(text)}'
registered loud@1  …
$ capstan perform loud '{"name":"Ada"}'
{"text":"HELLO, ADA"}
…
$ capstan action register echo --process -- /bin/echo hello
registered echo@1  …
$ capstan perform echo '{}'
"hello\\n"
…
$ capstan tail action.upper --from start --no-follow 2>/dev/null
…  action.upper  {text: QUIETLY}
$ capstan perform greet '{"nmae":"Ada"}'; echo $?
INPUT_INVALID  greet: "name" is required; unknown "nmae", did you mean "name"?
  see: capstan explain m-01J9
65
$ capstan grant create bob --allow action.perform:greet --out bob.token
grant g-2 → bob.token (0600)
$ capstan --token-file bob.token action remove greet; echo $?
REFUSED  g-2 allows action.perform:greet; asked action.remove:greet   m-01JB
77
$ capstan log verify
… entries, … leaves, checkpoint of n-7f3a: valid
$ capstan backup berlin.backup
backup of … entries, root …, verified → berlin.backup
…
$ capstan log verify berlin.backup --key .capstan/node.pub
… entries, … leaves, checkpoint of n-7f3a: valid
$ capstan plugin new tea-time
wrote ./tea-time/tea-time.ts
wrote ./tea-time/tea-time.test.ts
wrote ./tea-time/README.md
…
$ capstan plugin test tea-time; echo $?
…
 2 pass
…
0
$ capstan protocol new line-printer
wrote ./line-printer/line-printer.ts
wrote ./line-printer/line-printer.test.ts
wrote ./line-printer/README.md
…
$ capstan plugin test line-printer; echo $?
…
 0 fail
…
0
`;

describe("the binary in an empty environment", () => {
  let place: EmptyPlace;
  let server: Bun.Subprocess;

  beforeAll(async () => {
    place = new EmptyPlace(await compiled());
    place.write(FILES);
    const banner = ["node      n-7f3a  …", "data      ./.capstan   (log.db 1 entry, …)", "pipeline  …", "open      …"];
    server = await place.serve("capstan serve --log-level silent --listen 127.0.0.1:0", banner);
  }, 60_000);
  afterAll(() => place[Symbol.asyncDispose]());

  for (const { command, expected } of steps(TRANSCRIPT)) {
    test(`$ ${command}`, () => place.step(command, expected));
  }

  test("leaves no copy of what it supplied", () => {
    expect(readdirSync(place.temporary)).toEqual([]);
  });

  test("drains and ends with 0 at SIGTERM, and starts again with a plugin, a protocol and traces of one's own", async () => {
    server.kill("SIGTERM");
    expect(await server.exited).toBe(0);
    await place.step("capstan health; echo $?", [
      "UNREACHABLE  no server runs on ./.capstan: start one with capstan serve, name its directory with --data, or name one elsewhere with --url",
      "69",
    ]);
    place.write({ "capstan.config.ts": CONFIG });
    const banner = ["node      n-7f3a  osaka", "…", "pipeline  auth ▸ tea-time ▸ …", "…"];
    const traced = Promise.withResolvers<string>();
    await using collector = Bun.serve({
      ...{ hostname: "127.0.0.1", port: 0 },
      fetch({ url }) {
        traced.resolve(new URL(url).pathname);
        return Response.json({});
      },
    });
    const flags = `--log-level silent --listen 127.0.0.1:0 --otel ${collector.url.origin}`;
    server = await place.serve(`capstan serve ${flags}`, banner);
    await place.step("capstan teaTime put tea --text 'at four'", ['{"name":"tea"}']);
    await place.step(`capstan perform greet '{"name":"Bob"}'`, ['{"text":"Hello, Bob"}', "…"]);
    await place.step(`capstan perform upper '{"text":"again"}'`, ['{"text":"AGAIN"}', "…"]);
    expect(await traced.promise).toBe("/v1/traces");
  });

  test("takes sessions over iroh and asks by it, with a TMPDIR that takes its part of the system", async () => {
    const banner = ["node      n-9b5c  …", "…", "open      …", "iroh      iroh://…"];
    await place.serve("capstan serve --data ./by-iroh --iroh --log-level silent --listen 127.0.0.1:0", banner);
    const { iroh } = JSON.parse(readFileSync(join(place.directory, "by-iroh", "server.json"), "utf8"));
    await place.step(`capstan --data ./by-iroh --url '${iroh}' health; echo $?`, [`ready  ${iroh}`, "0"]);
    await place.step(`capstan --data ./by-iroh --url '${iroh}' log head`, ["1 entry  n-9b5c  …"]);
    rmSync(place.temporary, { recursive: true });
    try {
      const unavailable = "IROH_UNAVAILABLE  iroh cannot be loaded here: …TMPDIR, which must take a file of 20 MB";
      const flags = "--iroh --log-level silent --listen 127.0.0.1:0";
      await place.step(`capstan serve --data ./none ${flags}; echo $?`, [unavailable, "78"]);
    } finally {
      mkdirSync(place.temporary);
    }
  });

  test("does nothing of what a bunfig.toml says where it is called, and fetches nothing", async () => {
    place.write({
      "elsewhere/bunfig.toml": 'preload = ["./planted.ts"]\n[install]\nauto = "force"\n',
      "elsewhere/planted.ts": 'await Bun.write("planted", "");\n',
      "elsewhere/capstan.config.ts": 'import isEven from "is-even";\nexport default { name: String(isEven(2)) };\n',
    });
    const missing = "CONFIG_FILE_INVALID  …/capstan.config.ts: it does not load: Cannot find package 'is-even'…";
    await place.step("cd elsewhere; capstan config show; echo $?", [missing, "78"]);
    expect(existsSync(join(place.directory, "elsewhere", "planted"))).toBe(false);
  });

  test("a node whose file was replaced, as by an upgrade, goes on with what it is until it is started again", async () => {
    const old = join(place.home, "capstan");
    copyFileSync(await compiled(), old);
    const flags = "--data ./replaced --config ./elsewhere/none.ts --log-level silent --listen 127.0.0.1:0";
    place.write({ "elsewhere/none.ts": "export default {};\n" });
    await place.serve(`env -i '${old}' serve ${flags}`, ["node      n-8a4b  …", "…", "pipeline  …", "…"]);
    rmSync(old);
    const capstan = "capstan --data ./replaced";
    await place.step(`${capstan} action register upper --script ./upper.js`, ["registered upper@1  …"]);
    await place.step(`${capstan} perform upper '{"text":"still"}'`, ['{"text":"STILL"}', "…"]);
  });

  test("is made of the patched capnweb, and tells nothing of where it was built", async () => {
    const bytes = Buffer.from(await Bun.file(await compiled()).arrayBuffer());
    expect(bytes.includes("deliverCallNow")).toBe(true); // patches/capnweb@0.12.0.patch adds it
    expect(bytes.includes(`${dirname(dirname(import.meta.dir))}/`)).toBe(false);
  });

  test("names our files and lines where something is thrown", async () => {
    const asked = Bun.spawnSync([await compiled(), "serve", "--memory", "--listen", "192.0.2.1:1"], {
      ...{ cwd: place.directory, env: { CAPSTAN_DEBUG: "1" } },
    });
    expect(asked.stderr.toString()).toMatch(/at checkMeant \(packages\/orchestrator\/src\/server\/address\.ts:\d+/);
  });
});
