// The protocol `script` by itself: what a source may be, what a guest is given, what comes of a run, and its limits. What
// hostile guests try is test/script's, over a whole node.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultError } from "@capstan/orchestrator";
import { scripts } from "./script.fixture.ts";

const shared = scripts({ slots: 2 });
const base = realpathSync(mkdtempSync(join(tmpdir(), "capstan-script-")));
afterAll(async () => {
  await shared.stop();
  rmSync(base, { recursive: true });
});

const main = (body: string): string =>
  `export default async function (input, { perform, fs, log, publication, id, key, attempt }) { ${body} }`;

async function faultOf(run: Promise<unknown>): Promise<{ code: string; message: string }> {
  const outcome = await run.then(
    (value) => new Error(`it went through: ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  if (outcome instanceof FaultError) return { code: outcome.code, message: outcome.message };
  throw outcome;
}

describe("a source", () => {
  test("is compiled when it is registered, and known by its digest; nothing of it runs", async () => {
    const digest = { digest: expect.stringMatching(/^sha256-[0-9a-f]{64}$/) as never };
    expect(await shared.inspect("export default () => 1;")).toEqual(digest);
    expect(await shared.inspect("export default 1; throw new Error('it ran');")).toEqual(digest);
    expect(await shared.inspect("for (;;); export { f as default }; function f() {}")).toEqual(digest);
    expect(await shared.inspect("const one = await 1; export default () => one;")).toEqual(digest);
  });

  test("that does not compile says where and why", async () => {
    expect(await shared.inspect("export default function () {\n  let x = ;\n}")).toEqual({
      code: "CONFIG_INVALID",
      message: "source: unexpected token in expression: ';' (line 2, column 11)",
      details: { line: 2, column: 11 },
    });
    expect(await shared.inspect("const run = 1;")).toMatchObject({
      code: "CONFIG_INVALID",
      message: "source: it has no default export; write `export default function (input, capstan) { … }`",
    });
    for (const source of ['import fs from "node:fs";', 'export { default } from "node:fs";']) {
      expect(await shared.inspect(source)).toMatchObject({
        code: "CONFIG_INVALID",
        message:
          'source: it imports "node:fs", and a script can import nothing; what imports is TypeScript of the operator\'s (--module), or a program of its own (--process)',
      });
    }
    for (const source of [`(${"[".repeat(100_000)}`, "export default '", "\0", `x = \`${"${`".repeat(5000)}`]) {
      expect(await shared.inspect(source)).toMatchObject({ code: "CONFIG_INVALID" });
    }
  });

  test("is configured by known names, in bounds, and by plain directories", async () => {
    for (const more of [{ sourc: "" }, { time: 0 }, { memory: 1 }, { output: 1e9 }, { depth: 1e9 }, { time: "1" }]) {
      expect(() => shared.configuration("export default 1", more)).toThrow();
    }
    expect(() => shared.configuration("")).toThrow();
    expect(() => shared.configuration("export default 1", { files: { read: ["srv/../etc"] } })).toThrow(
      'files.read[0]: "srv/../etc" is not absolute',
    );
    const files = { read: ["/srv/a", "/"], write: ["/srv/b"] };
    expect(shared.protocol.rights?.(shared.configuration("export default 1", { files }))).toEqual([
      { resource: "file", verb: "read", name: "/srv/a/*" },
      { resource: "file", verb: "read", name: "/*" },
      { resource: "file", verb: "write", name: "/srv/b/*" },
    ]);
  });
});

describe("a run", () => {
  test("gives what its function returns, as JSON has it", async () => {
    expect(await shared.run(main("return { sum: input.a + input.b };"), { input: { a: 1, b: 2 } })).toEqual({ sum: 3 });
    expect(await shared.run("export default (input) => input === undefined;")).toBeTrue();
    expect(await shared.run(main(""))).toBeUndefined();
    expect(await shared.run(main("return [undefined, NaN, new Date(0)];"))).toEqual([
      null,
      null,
      "1970-01-01T00:00:00.000Z",
    ]);
    expect(await shared.run("const one = await Promise.resolve(1); export default () => one;")).toBe(1);
    const proto = shared.run(main(`return [JSON.parse('{"__proto__": {"admin": true}}')];`));
    expect(await faultOf(proto)).toMatchObject({ code: "OUTPUT_INVALID" });
  });

  test("performs, and is told what came of it", async () => {
    const performed: unknown[] = [];
    const perform = (name: string, input: unknown) => {
      performed.push([name, input]);
      if (name === "no") throw new FaultError({ code: "REFUSED", message: "not that", details: { why: 1 } });
      return input;
    };
    const source = main(`
      const [one, two] = await Promise.all([perform("echo", 1), perform("echo", { two: 2 })]);
      try { await perform("no"); } catch (error) {
        return { one, two, error: { ...error, text: String(error), is: error instanceof Error } };
      }`);
    expect(await shared.run(source, { perform })).toEqual({
      one: { execution: "x-2", output: 1 },
      two: { execution: "x-2", output: { two: 2 } },
      error: { code: "REFUSED", details: { why: 1 }, text: "Error: not that", is: true },
    });
    expect(performed).toEqual([
      ["echo", 1],
      ["echo", { two: 2 }],
      ["no", undefined],
    ]);
    expect(await faultOf(shared.run(main('await perform("no");'), { perform }))).toEqual({
      code: "REFUSED",
      message: "t: not that",
    });
    const forged = main(`await perform("no").catch((error) => { throw Object.assign(new Error("x"), error); });`);
    expect(await faultOf(shared.run(forged, { perform }))).toMatchObject({ code: "ACTION_FAILED" });
  });

  test("is told of the publication that it was handed, and which attempt it is", async () => {
    const publication = { topic: "action.greet", cursor: "7.l-1", id: "m-2", at: 1, subscription: "s-1" };
    expect(await shared.run(main("return { publication, id, key, attempt };"), { publication })).toEqual({
      ...{ publication, id: "x-1", key: "m-1", attempt: 1 },
    });
  });

  test("that throws says what and at which line, and nothing of the host", async () => {
    expect(await faultOf(shared.run(main("\n\nnull.x;")))).toEqual({
      code: "ACTION_FAILED",
      message: "t: TypeError: cannot read property 'x' of null (line 3)",
    });
    for (const body of [
      "throw undefined;",
      "throw { get message() { throw 1; } };",
      "throw Symbol('x');",
      "throw 'a\\nb';",
    ]) {
      expect(await faultOf(shared.run(main(body)))).toMatchObject({ code: "ACTION_FAILED" });
    }
    expect(await faultOf(shared.run("throw new Error('at the top');"))).toMatchObject({
      message: "t: Error: at the top (line 1)",
    });
    const { message } = await faultOf(shared.run(main("throw new Error(new Error('e').stack);")));
    expect(message).not.toContain("/");
  });

  test("that waits for what never comes ends", async () => {
    expect(await faultOf(shared.run(main("await new Promise(() => {});")))).toMatchObject({ code: "ACTION_FAILED" });
    expect(await faultOf(shared.run("await new Promise(() => {}); export default 1;"))).toMatchObject({
      code: "ACTION_FAILED",
    });
  });

  test("logs lines, plain or by level as a module does, within bounds, of which none can pass for another", async () => {
    const one = scripts({ slots: 1 });
    await one.run(
      main(`console.log("a", { b: 1 }, [2]); console.warn("c\\nd"); log(new Error("e"));
      log.info("i", 1); log.error("j"); for (let i = 0; i < 200; i++) log("x".repeat(5000)); return 1;`),
    );
    expect(one.lines.slice(0, 3)).toEqual(['info: a {"b":1} [2]', "warn: c\\u000ad", "info: Error: e"]);
    expect(one.lines.slice(3, 5)).toEqual(["info: i 1", "warn: j"]);
    expect(one.lines).toHaveLength(101);
    expect(one.lines[5]).toHaveLength(1006);
    expect(one.lines.at(-1)).toBe("warn: further lines are left out");
    await one.stop();
  });

  test("uses the files of its registration, and faults of theirs are its own", async () => {
    writeFileSync(join(base, "a.txt"), "a");
    const configuration = { files: { read: [base], write: [base] } };
    const source = main(`await fs.writeText("b.txt", await fs.readText("a.txt") + "b");
      const refused = await fs.readText("../x").catch((error) => error.code);
      return { names: await fs.list(), size: (await fs.stat("b.txt")).size, refused };`);
    expect(await shared.run(source, { configuration })).toEqual({
      ...{
        names: [
          { name: "a.txt", kind: "file" },
          { name: "b.txt", kind: "file" },
        ],
        size: 2,
        refused: "FILE_REFUSED",
      },
    });
    expect(readFileSync(join(base, "b.txt"), "utf8")).toBe("ab");
    expect(await faultOf(shared.run(main('await fs.readText("none");'), { configuration }))).toEqual({
      ...{ code: "FILE_NOT_FOUND", message: 't: there is no "none"' },
    });
    expect(await shared.run(main("return typeof fs;"))).toBe("undefined");
  });
});

describe("a limit", () => {
  const limited = async (body: string, configuration: object) =>
    (await faultOf(shared.run(main(body), { configuration }))).code;

  test("of time ends loops, floods of jobs, expressions, and what QuickJS does by itself", async () => {
    for (const body of [
      "for (;;);",
      "for (;;) { try { for (;;); } catch {} finally { continue; } }",
      "for (;;) await 1;",
      "/^(a+)+$/.exec('a'.repeat(40) + 'b');",
      "return [].indexOf.call({ length: 2 ** 53 - 1 }, 1);",
      "return { get a() { for (;;); } };",
    ]) {
      expect(await limited(body, { time: 50 })).toBe("SCRIPT_TIME");
    }
    expect((await faultOf(shared.run("for (;;);", { configuration: { time: 50 } }))).code).toBe("SCRIPT_TIME");
  });

  test("of time does not count what a run waits for", async () => {
    const perform = () => new Promise((resolve) => setTimeout(resolve, 350));
    const configuration = { time: 300 };
    expect(await shared.run(main('await perform("slow"); return 1;'), { perform, configuration })).toBe(1);
  });

  test("of memory ends what grows, and the next run finds none of it", async () => {
    const grow = "const all = []; for (;;) all.push(new Uint8Array(100000).fill(1));";
    expect(await limited(grow, { memory: 16 * 2 ** 20 })).toBe("SCRIPT_MEMORY");
    expect(
      await faultOf(shared.run(main("return 1;"), { input: "x".repeat(8e6), configuration: { memory: 16 * 2 ** 20 } })),
    ).toMatchObject({
      ...{ code: "SCRIPT_MEMORY" },
    });
    expect(await shared.run(main("return 1;"))).toBe(1);
  });

  test("of depth ends calls within each other, in guest code and in QuickJS", async () => {
    for (const body of [
      "(function f() { f(); })();",
      "JSON.parse('['.repeat(1e6));",
      "eval('('.repeat(1e5));",
      "let deep = 1; for (let i = 0; i < 101; i++) deep = [deep]; return deep;",
    ]) {
      expect(await limited(body, { time: 5000 })).toBe("SCRIPT_DEPTH");
    }
  });

  test("of output ends large ones, and large things handed to a perform or a file", async () => {
    for (const body of [
      "return 'x'.repeat(1001);",
      "return 'é'.repeat(600);",
      'await perform("a", "x".repeat(1001));',
    ]) {
      expect(await limited(body, { output: 1000 })).toBe("SCRIPT_OUTPUT");
    }
    expect(await limited("for (;;) await perform('a');", {})).toBe("SCRIPT_CALLS");
    expect(await limited("return 1n;", {})).toBe("ACTION_FAILED");
  });
});
