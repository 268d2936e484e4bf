// Each rule against made-up repositories: one that keeps it, and every way of breaking it that we mean. A rule without a
// bad example here fails the last test: a check that cannot fail is a defect.

import { expect, test } from "bun:test";
import { faultProblems } from "./fault-codes.ts";
import { type Rule, repositoryOf } from "./repository.ts";
import { declaredFaults } from "./rules/declared-faults.ts";
import { everyTestRuns } from "./rules/every-test-runs.ts";
import { fileSize } from "./rules/file-size.ts";
import { frontDoors } from "./rules/front-doors.ts";
import { headerComments } from "./rules/header-comments.ts";
import { importDirection } from "./rules/import-direction.ts";
import { kernelNamesNoPlugin } from "./rules/kernel-names-no-plugin.ts";
import { lightStart } from "./rules/light-start.ts";
import { names } from "./rules/names.ts";
import { noEscapes } from "./rules/no-escapes.ts";
import { noMachinePaths } from "./rules/no-machine-paths.ts";
import { pluginFolderShape } from "./rules/plugin-folders.ts";
import { purity } from "./rules/purity.ts";
import { rules } from "./rules.ts";

type Files = Readonly<Record<string, string>>;

const KERNEL = "packages/orchestrator/src/kernel.ts";
const PLUGIN = "packages/plugins/src/greeter/greeter.ts";
const PEER = "packages/peer/src/session.ts";
const MAIN = "packages/cli/src/main.ts";
const PROGRAM = "packages/cli/src/program.ts";
const SERVE = "packages/cli/src/serve.ts";
const PACKAGES: Files = {
  "packages/orchestrator/package.json":
    '{"name":"@capstan/orchestrator","exports":{".":"./src/index.ts","./client":"./c.ts"}}',
  "packages/plugins/package.json": '{"name":"@capstan/plugins","exports":{".":"./src/index.ts"}}',
};

const machine = ["", "srv", "clones", "capstan"].join("/");
const machinePaths = noMachinePaths([machine]);
const home = (...parts: string[]) => ["", "home", ...parts].join("/");
const lines = (count: number) => "x;\n".repeat(count);

const examples: readonly { rule: Rule; good: readonly Files[]; bad: readonly Files[] }[] = [
  {
    rule: importDirection,
    good: [
      { [PLUGIN]: 'import { definePlugin } from "@capstan/orchestrator"; import type { Rib } from "@capstan/peer";' },
      { "packages/cli/src/main.ts": 'import "@capstan/plugins"; import "./serve.ts"; import "zod";' },
      { [KERNEL]: '// import "@capstan/plugins"\nconst text = \'import "@capstan/plugins"\';' },
      { "test/scenario.test.ts": 'import "@capstan/cli";' },
    ],
    bad: [
      { [KERNEL]: 'import { auth } from "@capstan/plugins";' },
      { [KERNEL]: 'import type { Rib } from "@capstan/peer";' },
      { [KERNEL]: 'export * from "@capstan/peer";' },
      { [KERNEL]: 'type Rib = import("@capstan/peer").Rib;' },
      { [KERNEL]: 'const peer = await import("@capstan/peer");' },
      { [KERNEL]: 'const peer = require("@capstan/peer");' },
      { [KERNEL]: 'import "../../peer/src/index.ts";' },
      { "packages/orchestrator/src/kernel.test.ts": 'import "@capstan/plugins";' },
      { [PEER]: 'import { fault } from "@capstan/orchestrator";' },
      { [PLUGIN]: 'import "@capstan/cli";' },
      { "packages/extra/src/index.ts": "export {};" },
      {
        "packages/peer/package.json": '{"name":"@capstan/peer","dependencies":{"@capstan/orchestrator":"workspace:*"}}',
      },
    ],
  },
  {
    rule: frontDoors,
    good: [
      {
        ...PACKAGES,
        [PLUGIN]: 'import "@capstan/orchestrator"; import "@capstan/orchestrator/client"; import "./schema.ts";',
      },
      { ...PACKAGES, "test/a.test.ts": 'import "./b.ts"; import "../scripts/docs/faults.ts";' },
    ],
    bad: [
      { ...PACKAGES, [PLUGIN]: 'import "@capstan/orchestrator/src/kernel.ts";' },
      { ...PACKAGES, [PLUGIN]: 'import type { K } from "../../../orchestrator/src/kernel.ts";' },
      { ...PACKAGES, [KERNEL]: 'import { fault } from "@capstan/orchestrator";' },
      { ...PACKAGES, "test/a.test.ts": 'import "../packages/orchestrator/src/kernel.ts";' },
      { ...PACKAGES, "examples/a.ts": 'import "../packages/plugins/src/index.ts";' },
      { ...PACKAGES, "examples/a.ts": 'import "@capstan/nothing";' },
    ],
  },
  {
    rule: kernelNamesNoPlugin,
    good: [
      { [KERNEL]: '// auth comes first\nconst registry = new Map(); registry.get("authority"); needs.authority;' },
      { [KERNEL]: 'const authorization = headers.get("authorization"); if (message.resource === "message") {}' },
      { [PLUGIN]: 'definePlugin({ name: "auth" });' },
      { "packages/orchestrator/src/kernel.test.ts": 'const plugin = { name: "auth" };' },
    ],
    bad: [
      { [KERNEL]: 'if (plugin.name === "auth") {}' },
      { [KERNEL]: 'const last = ["ledger"];' },
      { [KERNEL]: "const last = `peer-propagation`;" },
      { [KERNEL]: 'const metric = "executor.queued";' },
      { [KERNEL]: "plugins.peerPropagation.start();" },
      { [KERNEL]: 'composition.plugins["registry"].start();' },
      { [KERNEL]: "const scope = connections.connectionFromCli(token);" },
      { [KERNEL]: 'if (message.resource === "action") {}' },
      { [KERNEL]: 'if ("grant" !== envelope.message.resource) {}' },
      { [KERNEL]: 'switch (message.resource) { case "message": break; case "execution": break; }' },
      { [PLUGIN]: 'definePlugin({ name: "greeter" });', [KERNEL]: 'const first = "greeter";' },
    ],
  },
  {
    rule: lightStart,
    good: [
      {
        ...PACKAGES,
        [MAIN]: 'import type { Log } from "@capstan/orchestrator"; import "@capstan/orchestrator/client";',
      },
      { [MAIN]: 'import "./serve.ts";', [SERVE]: 'const work = async () => import("@capstan/orchestrator");' },
      { [MAIN]: "", "packages/cli/src/doctor.ts": 'import "@capstan/plugins";' },
    ],
    bad: [
      { [MAIN]: 'import { fault } from "@capstan/orchestrator";' },
      { [MAIN]: 'import "./serve.ts";', [SERVE]: 'export * from "@capstan/plugins";' },
      {
        [MAIN]: 'import "./program.ts";',
        [PROGRAM]: 'await import("./serve.ts");',
        [SERVE]: 'import { z } from "zod";',
      },
      { ...PACKAGES, [MAIN]: 'import "@capstan/orchestrator/client";', "packages/orchestrator/c.ts": 'import "zod";' },
    ],
  },
  {
    rule: purity,
    good: [
      { [PEER]: "export const step = (session, at, random) => [new Date(at), random()];" },
      { "packages/peer/src/session.test.ts": "const at = Date.now();" },
      { [PEER]: 'import { createHmac, timingSafeEqual } from "node:crypto";' },
      { [PEER]: "Bun.SHA256.hash(bytes, into);" },
      { [PLUGIN]: "definePlugin({ decide: ({ envelope }) => new Date(envelope.at) }); // not Date.now()" },
      {
        "packages/plugins/src/greeter/effects.ts": "const at = Date.now(); setTimeout(send, 10);",
        [PLUGIN]: "definePlugin({})",
      },
      { [KERNEL]: "const at = Date.now();" },
    ],
    bad: [
      { [PEER]: "const at = Date.now();" },
      { [PEER]: "const clock = Date.now;" },
      { [PEER]: "const at = new Date();" },
      { [PEER]: "const at = Date();" },
      { [PEER]: "const jitter = Math.random();" },
      { [PEER]: "setTimeout(keepalive, 10);" },
      { [PEER]: "globalThis.setTimeout(keepalive, 10);" },
      { [PEER]: "const id = crypto.randomUUID();" },
      { [PEER]: 'import { connect } from "node:net";' },
      { [PEER]: 'import { createHmac, randomBytes } from "node:crypto";' },
      { [PEER]: 'import * as all from "node:crypto";' },
      { [PEER]: "const socket = new WebSocket(url);" },
      { [PEER]: "console.log(session);" },
      { [PEER]: "const frame = await Bun.file(path).text();" },
      { [PLUGIN]: "definePlugin({ decide: () => performance.now() });" },
      { "packages/orchestrator/src/pipeline/decide.ts": "const at = Date.now();" },
      { "packages/plugins/src/greeter/decide-greeting.ts": "const at = Math.random();" },
    ],
  },
  {
    rule: pluginFolderShape,
    good: [
      {
        [PLUGIN]: "definePlugin({});",
        "packages/plugins/src/greeter/README.md": "",
        "packages/plugins/src/greeter/schema.ts": "",
        "packages/plugins/src/greeter/greeter.test.ts": "",
      },
      { "packages/plugins/src/tokens/authority.ts": "export const authority = token();" },
    ],
    bad: [
      {
        [PLUGIN]: "definePlugin({});",
        "packages/plugins/src/greeter/README.md": "",
        "packages/plugins/src/greeter/schema.ts": "",
      },
      {
        [PLUGIN]: "definePlugin({});",
        "packages/plugins/src/greeter/schema.ts": "",
        "packages/plugins/src/greeter/a.test.ts": "",
      },
      { "packages/plugins/src/greeter/plugin.ts": "definePlugin({});" },
    ],
  },
  {
    rule: declaredFaults,
    good: [{ [PLUGIN]: "definePlugin({ name: 'greeter', faults: greeterFaults });" }],
    bad: [
      { [PLUGIN]: "definePlugin({ faults: { GREETER_CLOSED: { status: 403, retryable: true } } });" },
      { [PLUGIN]: "definePlugin({ faults });" },
    ],
  },
  {
    rule: noEscapes,
    good: [
      { [KERNEL]: '// any @ts-ignore\nconst any = "any";' },
      { "packages/peer/src/a.type-test.ts": "// @ts-expect-error\nx;" },
    ],
    bad: [
      { [KERNEL]: "let x: any;" },
      { [KERNEL]: "f(x as any);" },
      { [KERNEL]: "let x: Map<string, any[]>;" },
      { [KERNEL]: "// @ts-ignore\nx;" },
      { [KERNEL]: "/* @ts-expect-error: later */ x;" },
      { [KERNEL]: "// @ts-nocheck\nx;" },
      { [KERNEL]: "const = 1;" },
    ],
  },
  {
    rule: everyTestRuns,
    good: [
      {
        "packages/peer/src/a.test.ts":
          'test("test.skip is refused", () => {}); test.each([1])("n", () => {}); rows.only;',
      },
      { "test/seeds/coattail.test.ts": 'test.todo("over a peer");' },
    ],
    bad: [
      { "packages/peer/src/a.test.ts": 'test.skip("later", () => {});' },
      { "packages/peer/src/a.test.ts": 'describe.only("this", () => {});' },
      { "packages/peer/src/a.test.ts": 'it.todo("one day");' },
      { "test/seeds/coattail.test.ts": 'test.skip("over a peer", () => {});' },
      { "packages/peer/src/a.test.ts": 'test.skipIf(!linux)("here", () => {});' },
      { "packages/peer/src/a.test.ts": 'test.concurrent.only("here", () => {});' },
      { "packages/peer/src/a.test.ts": 'xit("later", () => {});' },
    ],
  },
  {
    rule: headerComments,
    good: [
      { [KERNEL]: "// Owns the pipeline; must not do I/O.\n\nexport {};" },
      { "bin/a.mjs": "#!/usr/bin/env node\n// Starts the CLI under Bun, wherever.\nx();" },
      { [KERNEL]: "/**\n * Owns the pipeline and nothing else.\n */\nexport {};" },
    ],
    bad: [
      { [KERNEL]: "export {};\n// Owns the pipeline; must not do I/O." },
      { [KERNEL]: "// kernel\nexport {};" },
      { [KERNEL]: "// biome-ignore-all lint: this is not a header at all\nexport {};" },
      { "bin/a.mjs": "#!/usr/bin/env node --this is not a header\nx();" },
      { [KERNEL]: "" },
    ],
  },
  {
    rule: fileSize,
    good: [{ [KERNEL]: lines(400) }, { "packages/cli/src/styles.css": "a\n" }, { "test/long.test.ts": lines(500) }],
    bad: [
      { [KERNEL]: lines(401) },
      { "packages/peer/src/a.test.ts": lines(401) },
      { "packages/cli/src/a.css": "a {}\n".repeat(401) },
    ],
  },
  {
    rule: names,
    good: [
      { "packages/peer/src/adj-rib-in.ts": "export class AdjRibIn {}" },
      { "examples/capstan.config.ts": "export default {};" },
    ],
    bad: [
      { "packages/peer/src/adjRibIn.ts": "export {};" },
      { "packages/peer/src/Adj-Rib.ts": "export {};" },
      { "packages/peer/src/rib-helpers.ts": "export {};" },
      { "packages/peer/src/utils/rib.ts": "export {};" },
      { "packages/peer/src/misc.ts": "export {};" },
      { "packages/peer/src/session.ts": "export class SessionManager {}" },
      { "packages/peer/src/session.ts": "export const sessionUtils = {};" },
      { "packages/peer/src/session.ts": "const a = 1; export { a as manager };" },
    ],
  },
  {
    rule: machinePaths,
    good: [{ "README.md": "see /home, ~/home/x, https://example.org/home/about and /rootless" }],
    bad: [
      { "README.md": `cd ${home("ada")}` },
      { "docs/a.md": `read ${home("ada", "notes.md")}` },
      { "a.json": JSON.stringify({ path: ["", "Users", "Ada", "capstan"].join("/") }) },
      { [KERNEL]: `const key = "${["", "root", ".ssh"].join("/")}";` },
      { [KERNEL]: `const key = "${["C:", "Users", "Ada"].join("\\\\")}";` },
      { "README.md": `cd ${machine}` },
      { "README.md": `cat ${machine}/README.md` },
    ],
  },
];

for (const { rule, good, bad } of examples) {
  test(`keeps the rule: ${rule.name}`, () => {
    for (const files of good) expect(rule.check(repositoryOf(files))).toEqual([]);
  });
  test(`breaks the rule: ${rule.name}`, () => {
    for (const files of bad) {
      const found = rule.check(repositoryOf(files)).length;
      expect({ files, found: found > 0 }).toEqual({ files, found: true });
    }
  });
}

test("every rule has a bad example", () => {
  const proven = examples.filter(({ bad }) => bad.length > 0).map(({ rule }) => rule.name);
  expect(
    rules(machine)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(proven.sort());
});

const row = { status: 404, retryable: false, text: "Nothing of that name." };
const page = "| code | HTTP |\n| --- | --- |\n| `A_GONE` | 404 |\n";

test("fault codes: a table and a page that agree are well", () => {
  expect(faultProblems([{ name: "a", path: "a.ts", rows: { A_GONE: row } }], page)).toEqual([]);
});

test("fault codes: each way to disagree is told", () => {
  const a = { name: "a", path: "a.ts", rows: { A_GONE: row } };
  expect(faultProblems([a, { ...a, name: "b" }], page)).toEqual(["A_GONE is declared by a and by b"]);
  expect(faultProblems([a], "")).toEqual(["A_GONE is not in docs/faults.md"]);
  expect(faultProblems([], page)).toEqual(["A_GONE is in docs/faults.md and in no table"]);
  expect(faultProblems([{ ...a, rows: { A_GONE: { status: 404 } } }], page)[0]).toContain("no text");
  expect(faultProblems([{ ...a, rows: { A_GONE: { ...row, status: 200 } } }], page)[0]).toContain("HTTP status 200");
  expect(faultProblems([{ ...a, rows: { aGone: row } }], "| `aGone` |")[0]).toContain("upper snake case");
});
