import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Fault, Timers } from "@capstan/orchestrator";
import * as zod from "zod";
import { compileSchema } from "../../registry/json-schema.ts";
import type { ActionContext } from "./define-action.ts";
import type { ReceiverContext } from "./define-receiver.ts";
import { createModuleLoader, type InspectedModule } from "./module-loader.ts";
import { changed } from "./source-files.ts";
import { supplyModules } from "./supply-modules.ts";

const base = realpathSync(mkdtempSync(join(tmpdir(), "capstan-module-loader-")));
const modules = join(base, "modules");
const cacheDir = join(base, "data", "modules");
// The whole of it: every test of the process sees what is supplied.
beforeAll(async () => supplyModules({ zod, "zod/v4": zod, "@capstan/plugins": await import("../../index.ts") }));
afterAll(() => rmSync(base, { recursive: true }));

const HEAD = 'import { z } from "zod";\nimport { defineAction } from "@capstan/plugins";\n';
const SCHEMAS = "input: z.object({ name: z.string() }), output: z.object({ text: z.string() })";
const greet = (text = '"Hello, " + name') =>
  `${HEAD}export default defineAction({ ${SCHEMAS}, idempotent: true, may: ["action.perform:shout"],\n  async run({ name }: { name: string }) { return { text: ${text} }; } });\n`;

function write(path: string, text: string): string {
  const file = join(base, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

// Before anything is bundled: Bun remembers for a moment what a directory had in it.
write("outside.ts", "globalThis.escaped = true; export const x = 1;");

const loader = createModuleLoader({ directories: [modules], cacheDir });
async function inspect(path: string): Promise<InspectedModule> {
  const found = await loader.inspectModule(path);
  if ("code" in found) throw new Error(`${found.code}: ${found.message}`);
  return found;
}
async function refused(path: string, text: string): Promise<Fault> {
  const found = await createModuleLoader({ directories: [modules], cacheDir }).inspectModule(
    write(`modules/${path}`, text),
  );
  if (!("code" in found)) throw new Error("it was taken");
  return found;
}
const run = async (found: InspectedModule | Fault, input: unknown): Promise<unknown> => {
  if ("code" in found) throw new Error(found.message);
  return found.definition.run(input, {} as ActionContext & ReceiverContext);
};

describe("inspectModule", () => {
  test("tells what a module is, and its code runs", async () => {
    write("modules/greet.ts", greet());
    const found = await inspect("greet.ts");
    expect(found).toMatchObject({
      path: join(modules, "greet.ts"),
      idempotent: true,
      readOnly: false,
      may: ["action.perform:shout"],
    });
    expect(found.digest).toMatch(/^sha256-[0-9a-f]{64}$/);
    expect(compileSchema(found.inputSchema)({ nmae: "Ada" })).toHaveLength(2);
    expect(compileSchema(found.outputSchema)({ text: "a" })).toEqual([]);
    expect(await run(found, { name: "Ada" })).toEqual({ text: "Hello, Ada" });
    expect(Object.isFrozen(found.definition)).toBe(true);
  });

  test("what runs is what was digested", async () => {
    const { digest } = await inspect(write("modules/kept.ts", greet()));
    const kept = readFileSync(join(cacheDir, `${digest}.mjs`));
    expect(`sha256-${new Bun.CryptoHasher("sha256").update(kept).digest("hex")}`).toBe(digest);
  });

  test("what is supplied can be imported by each of its names, and builtins by theirs", async () => {
    const source = `import { basename } from "node:path";\n${greet("basename(name)").replace('"zod"', '"zod/v4"')}`;
    expect(await run(await inspect(write("modules/names.ts", source)), { name: "a/Ada" })).toEqual({ text: "Ada" });
  });

  test("a package in a modules directory is part of the bundle", async () => {
    write("packaged/node_modules/polite/index.js", 'export default (name) => "Dear " + name;');
    const file = write("packaged/greet.ts", `import polite from "polite";\n${greet("polite(name)")}`);
    const found = await createModuleLoader({ directories: [join(base, "packaged")], cacheDir }).inspectModule(file);
    expect(await run(found, { name: "Ada" })).toEqual({ text: "Dear Ada" });
  });

  test("heals a damaged bundle", async () => {
    const file = write("modules/heals.ts", greet('"heals " + name'));
    const { digest } = await inspect(file);
    writeFileSync(join(cacheDir, `${digest}.mjs`), "damaged");
    expect((await inspect(file)).digest).toBe(digest);
    expect(readFileSync(join(cacheDir, `${digest}.mjs`), "utf8")).toContain("heals");
  });

  test("the digest covers what is imported, and depends on no directory", async () => {
    const source = `import { polite } from "./lib/polite.ts";\nimport { mark } from "./mark.json";\n${greet("polite(name) + mark")}`;
    const [one, two] = await Promise.all(
      ["one", "two"].map(async (folder) => {
        write(`${folder}/mark.json`, '{ "mark": "!" }');
        write(`${folder}/lib/polite.ts`, 'export const polite = (name: string): string => "Dear " + name;');
        const found = await createModuleLoader({ directories: [join(base, folder)], cacheDir }).inspectModule(
          write(`${folder}/polite.ts`, source),
        );
        if ("code" in found) throw new Error(found.message);
        return found;
      }),
    );
    expect(await run(one as InspectedModule, { name: "Ada" })).toEqual({ text: "Dear Ada!" });
    expect(one?.digest).toBe(two?.digest as string);
    expect(one?.files.map(({ path }) => path).sort()).toEqual(
      ["lib/polite.ts", "mark.json", "polite.ts"].map((file) => join(base, "one", file)),
    );
  });

  test("refuses imports from outside, links included, and never runs them", async () => {
    expect(await refused("out.ts", `import { x } from "../outside.ts";\n${greet("String(x)")}`)).toMatchObject({
      code: "MODULE_OUTSIDE",
    });
    symlinkSync(join(base, "outside.ts"), join(modules, "inside.ts"));
    expect(await refused("out2.ts", `import { x } from "./inside.ts";\n${greet("String(x)")}`)).toMatchObject({
      code: "MODULE_OUTSIDE",
    });
    expect(globalThis).not.toHaveProperty("escaped");
  });

  test.each([
    ["syntax.ts", "export const a = ;", /^syntax\.ts does not build: \S*syntax\.ts:1:\d+ /],
    [
      "missing.ts",
      `import { x } from "./none.ts";\n${greet("x")}`,
      /missing\.ts:1:\d+ Could not resolve: "\.\/none\.ts"/,
    ],
    [
      "package.ts",
      `import x from "no-such-package/part";\n${greet("x")}`,
      /package\.ts:1:\d+ there is no package "no-such-package\/part" in a modules directory; supplied are zod, zod\/v4, /,
    ],
    [
      "zod-3.ts",
      `import x from "zod/v3";\n${greet("x")}`,
      /there is no package "zod\/v3" in a modules directory; supplied/,
    ],
    ["ours.ts", `import x from "@capstan/cli";\n${greet("x")}`, /there is no package "@capstan\/cli"/],
    [
      "nothing.ts",
      "export const a = 1;",
      "nothing.ts has no default export; write `export default defineAction({ input, output, run })`, or defineReceiver",
    ],
    ["plain.ts", "export default { run() {} };", /^plain\.ts exports something else by default/],
    [
      "options.ts",
      `${HEAD}export default defineAction({ input: 1 });`,
      /^options\.ts throws when imported: TypeError: defineAction: input must be a zod schema/,
    ],
    [
      "throws.ts",
      `const fail = () => { throw new Error("no\\u001b[2J table\\nsecond line"); };\nfail();\n${greet()}`,
      /^throws\.ts throws when imported: Error: no\\u001b\[2J table \(in throws\.ts\)$/,
    ],
    ["odd.ts", `throw { toString() { throw 1; } };\n${greet()}`, /throws when imported: something that is no Error/],
    [
      "date.ts",
      `${HEAD}export default defineAction({ input: z.date(), output: z.object({}), run: () => ({}) });`,
      /^date\.ts: the input has no JSON Schema: Date cannot be represented/,
    ],
    ["picture.ts", `import picture from "./picture.png";\n${greet("picture")}`, /imports a file that is no code/],
  ])("%s is MODULE_INVALID, and says why", async (path, text, message) => {
    write("modules/picture.png", "");
    const fault = await refused(path, text);
    expect(fault.code).toBe("MODULE_INVALID");
    if (typeof message === "string") expect(fault.message).toBe(message);
    else expect(fault.message).toMatch(message);
  });

  test("passes on what the path is refused for", async () => {
    expect(await loader.inspectModule("gret.ts")).toMatchObject({ code: "MODULE_NOT_FOUND" });
    expect(await loader.inspectModule("/etc/passwd")).toMatchObject({ code: "MODULE_OUTSIDE" });
  });

  test("an import that waits for ever is given up", async () => {
    const asked: number[] = [];
    const timers: Timers = {
      after(ms, callback) {
        asked.push(ms);
        queueMicrotask(callback);
        return () => {};
      },
    };
    const waiting = createModuleLoader({ directories: [modules], cacheDir, importTimeout: 7, timers });
    const file = write("modules/waits.ts", `await new Promise(() => {});\n${greet()}`);
    expect(await waiting.inspectModule(file)).toEqual({
      code: "MODULE_INVALID",
      message: "waits.ts was not imported within 7 ms; do not wait on its top level, but in run()",
    });
    expect(asked).toEqual([7]);
  });

  test("stops its timer when the import is done", async () => {
    let stopped = 0;
    const timers: Timers = { after: () => () => void stopped++ };
    await createModuleLoader({ directories: [modules], cacheDir, timers }).inspectModule(
      write("modules/quick.ts", greet()),
    );
    expect(stopped).toBe(1);
  });

  test("a module that failed to import is imported anew when it is asked for again", async () => {
    const file = write("modules/later.ts", `if (!globalThis.ready) throw new Error("not yet");\n${greet()}`);
    expect(await loader.inspectModule(file)).toMatchObject({ code: "MODULE_INVALID" });
    Object.assign(globalThis, { ready: true });
    expect(await run(await loader.inspectModule(file), { name: "Ada" })).toEqual({ text: "Hello, Ada" });
  });

  test("says so where the bundle cannot be kept", async () => {
    const file = write("a-file", "");
    const found = await createModuleLoader({ directories: [modules], cacheDir: join(file, "no") }).inspectModule(
      write("modules/full.ts", greet()),
    );
    expect(found).toMatchObject({ code: "MODULE_INVALID", message: expect.stringContaining("cannot be kept in") });
  });
});

describe("refresh", () => {
  const later = (file: string, seconds: number): void =>
    utimesSync(file, new Date(), new Date(Date.now() + seconds * 1000));

  test("gives back what it was given as long as nothing was written", async () => {
    const found = await inspect(write("modules/same.ts", greet()));
    expect(changed(found.files)).toBe(false);
    expect(await loader.refresh(found)).toBe(found);
  });

  test("a touch is no change", async () => {
    const file = write("modules/touched.ts", greet());
    const found = await inspect(file);
    later(file, 5);
    expect(changed(found.files)).toBe(true);
    const again = await loader.refresh(found);
    if ("code" in again) throw new Error(again.message);
    expect(again.definition).toBe(found.definition);
    expect(changed(again.files)).toBe(false);
  });

  test("a change, of an imported file too, is said and not imported, and the old goes on", async () => {
    const lib = write("modules/word.ts", 'export const word = "Hello";');
    const found = await inspect(write("modules/uses.ts", `import { word } from "./word.ts";\n${greet("word + name")}`));
    writeFileSync(lib, 'export const word = "Howdy";');
    later(lib, 5);
    const [again, shared] = await Promise.all([loader.refresh(found), loader.refresh(found)]);
    expect(shared).toBe(again);
    expect(again).toMatchObject({ code: "MODULE_CHANGED" });
    expect(await run(await inspect(found.path), { name: "Ada" })).toEqual({ text: "HowdyAda" });
    expect(await run(found, { name: "Ada" })).toEqual({ text: "HelloAda" });
  });

  test("a file that is gone is not found", async () => {
    const file = write("modules/goes.ts", greet());
    const found = await inspect(file);
    rmSync(file);
    expect(changed(found.files)).toBe(true);
    expect(await loader.refresh(found)).toMatchObject({ code: "MODULE_NOT_FOUND" });
    expect(existsSync(join(cacheDir, `${found.digest}.mjs`))).toBe(true);
  });
});
