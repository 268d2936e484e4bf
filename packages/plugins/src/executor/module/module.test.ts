// The protocol `module` through the pipeline: a file becomes an action, the entry says which bytes run, and what changed or
// lies outside is not run. What the loader itself does is module-loader.test.ts's.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeEntry, memoryLog } from "@capstan/orchestrator";
import { faultFrom, startHub } from "../../hub.fixture.ts";

const base = mkdtempSync(join(tmpdir(), "capstan-module-"));
afterAll(() => rmSync(base, { recursive: true }));
let made = 0;

function directory(files: Readonly<Record<string, string>>) {
  const path = join(base, String(made++));
  mkdirSync(path);
  const write = (name: string, text: string) => writeFileSync(join(path, name), text);
  for (const [name, text] of Object.entries(files)) write(name, text);
  return { path, write };
}

const action = (run: string, options = "", input = "z.object({ name: z.string() })") =>
  `import { defineAction } from "@capstan/plugins";
import { z } from "zod";
export default defineAction({ input: ${input}, output: z.object({ text: z.string() }), ${options}
  async run({ name }, { capstan, log }) { ${run} } });
`;
const greet = action("return { text: 'Hello, ' + name };", "idempotent: true, timeout: 7000, may: ['log.head'],");
const named = (name: string, module = `./${name}.ts`) => ({ name, configuration: { module } });

describe("a module", () => {
  test("is registered with what it says of itself, and runs", async () => {
    const { path } = directory({ "greet.ts": greet });
    const { app } = await startHub({ modules: path });
    expect(await app.action.register(named("greet"))).toMatchObject({
      input: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
      output: { type: "object", properties: { text: { type: "string" } } },
    });
    expect(await app.action.describe({ name: "greet" })).toMatchObject({
      ...{ protocol: "module", idempotent: true, readOnly: false, may: ["log.head"], timeout: 7000 },
      digest: expect.stringMatching(/^sha256-[0-9a-f]{64}$/),
    } as never);
    expect(await app.action.perform({ name: "greet", input: { name: "Ada" } })).toMatchObject({
      output: { text: "Hello, Ada" },
    });
    expect(await faultFrom(app.action.perform({ name: "greet", input: { nmae: "Ada" } }))).toMatchObject({
      code: "INPUT_INVALID",
      message: 'greet: "name" is required; unknown "nmae", did you mean "name"?',
    });
  });

  test("is named in the entry by its digest, which is another when its source is", async () => {
    const { path, write } = directory({ "greet.ts": greet });
    const { hub, app } = await startHub({ modules: path });
    const digestOf = async () => {
      const [entry] = await hub.log.read(hub.log.head, { limit: 1 });
      const facts = decodeEntry(entry as NonNullable<typeof entry>).part("f") as Record<string, { digest: string }>;
      return facts["action.inspected"]?.digest;
    };
    await app.action.register(named("greet"));
    const first = await digestOf();
    expect(first).toBeString();
    write("greet.ts", greet.replace("Hello", "Howdy"));
    await app.action.update({ name: "greet" });
    expect(await digestOf()).toBeString();
    expect(await digestOf()).not.toBe(first);
  });

  test("that changed is MODULE_CHANGED until action.update takes it as it is now", async () => {
    const { path, write } = directory({ "greet.ts": greet });
    const { app } = await startHub({ modules: path });
    await app.action.register(named("greet"));
    const perform = () => app.action.perform({ name: "greet", input: { name: "Ada" } });
    await perform();
    write("greet.ts", greet.replace("Hello", "Howdy"));
    for (let again = 0; again < 2; again++) {
      expect(await faultFrom(perform())).toMatchObject({
        code: "MODULE_CHANGED",
        message: expect.stringContaining("`action.update` takes it as it is now"),
      });
    }
    expect(await app.action.update({ name: "greet" })).toMatchObject({ revision: 2 });
    expect(await perform()).toMatchObject({ output: { text: "Howdy, Ada" } });
  });

  test("that changed while the node was down is not run either", async () => {
    const { path, write } = directory({ "greet.ts": greet });
    const log = memoryLog();
    const first = await startHub({ modules: path, log });
    await first.app.action.register(named("greet"));
    write("greet.ts", greet.replace("Hello", "Howdy"));
    const { app } = await startHub({ modules: path, log });
    expect(await faultFrom(app.action.perform({ name: "greet", input: { name: "Ada" } }))).toMatchObject({
      code: "MODULE_CHANGED",
    });
  });

  test("outside of the directories is refused, also by a link, and nothing is changed", async () => {
    const outside = directory({ "greet.ts": greet });
    const { path } = directory({ "imports.ts": `import "../${outside.path.split("/").at(-1)}/greet.ts";\n${greet}` });
    symlinkSync(join(outside.path, "greet.ts"), join(path, "link.ts"));
    symlinkSync(outside.path, join(path, "linked"));
    const { hub, app } = await startHub({ modules: path });
    for (const file of ["../0/greet.ts", join(outside.path, "greet.ts"), "link.ts", "linked/greet.ts", "imports.ts"]) {
      expect(await faultFrom(app.action.register(named("a", file)))).toMatchObject({ code: "MODULE_OUTSIDE" });
    }
    expect(await faultFrom(app.action.register(named("a", "geet.ts")))).toMatchObject({ code: "MODULE_NOT_FOUND" });
    expect((await app.action.list()).items).toEqual([]);
    expect(hub.reader.revision).toBe(7);
  });

  test("that is none says what is wrong with it", async () => {
    const { path } = directory({
      "plain.ts": "export default {};",
      "throws.ts": 'throw new Error("on purpose");',
      "broken.ts": "export default {",
    });
    const { app } = await startHub({ modules: path });
    for (const name of ["plain", "throws", "broken"]) {
      expect(await faultFrom(app.action.register(named(name)))).toMatchObject({ code: "MODULE_INVALID" });
    }
  });

  test("says more of its data than a JSON Schema can", async () => {
    const { path } = directory({
      "refined.ts": action(
        'return { text: name === "odd" ? (1 as never) : name };',
        "",
        'z.object({ name: z.string().default("nobody").refine((name) => name !== "root", "must not be root") })',
      ),
    });
    const { app } = await startHub({ modules: path });
    await app.action.register(named("refined"));
    expect(await app.action.perform({ name: "refined", input: {} })).toMatchObject({ output: { text: "nobody" } });
    expect(await faultFrom(app.action.perform({ name: "refined", input: { name: "root" } }))).toMatchObject({
      code: "INPUT_INVALID",
      message: 'refined: "name": must not be root',
    });
    expect(await faultFrom(app.action.perform({ name: "refined", input: { name: "odd" } }))).toMatchObject({
      code: "OUTPUT_INVALID",
      message: 'refined: its output: "text": expected string, received number',
    });
  });

  test("imports what is supplied where there is no node_modules, and nothing else", async () => {
    const head =
      'import { connect } from "@capstan/orchestrator/client";\nimport { printable } from "@capstan/orchestrator";\n';
    const client = action("return { text: typeof connect + typeof printable };").replace('"zod"', '"zod/v4"');
    const { path } = directory({
      "client.ts": head + client,
      "even.ts": `import even from "is-even";\neven();\n${greet}`,
    });
    const { app } = await startHub({ modules: path });
    await app.action.register(named("client"));
    expect(await app.action.perform({ name: "client", input: { name: "" } })).toMatchObject({
      output: { text: "functionfunction" },
    });
    expect(await faultFrom(app.action.register(named("even")))).toMatchObject({
      code: "MODULE_INVALID",
      message: expect.stringContaining('there is no package "is-even" in a modules directory; supplied are zod, '),
    });
  });

  test("without a file to name is CONFIG_INVALID", async () => {
    const { path } = directory({});
    const { app } = await startHub({ modules: path });
    expect(await faultFrom(app.action.register({ name: "a", configuration: { modul: "a.ts" } }))).toMatchObject({
      code: "CONFIG_INVALID",
    });
  });
});
