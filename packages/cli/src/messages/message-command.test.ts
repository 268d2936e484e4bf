// Commands out of schemas: how words and flags become data, and what the command line says where they do not.

import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Cli } from "../cli.ts";
import { wordsOf } from "../commands/completion.ts";
import { run } from "../index.ts";
import { duration, instantOf } from "../input/duration.ts";
import { programFor } from "../program.ts";
import { testIo } from "../test-io.ts";
import { wordOf } from "../word-of.ts";
import { standardMessages } from "./described.ts";
import { dataOf, fieldsOf } from "./fields.ts";
import { presentationsOf, presentedResources } from "./presentations.ts";
import { serverPath } from "./task-options.ts";

const fields = fieldsOf(
  z.toJSONSchema(
    z.strictObject({
      name: z.string(),
      allowHosts: z.array(z.string()).optional(),
      limit: z.number().optional(),
      state: z.enum(["on", "off"]).optional(),
      configuration: z.record(z.string(), z.unknown()).optional(),
      quick: z.boolean().optional(),
    }),
    { io: "input" },
  ),
);
const message = { name: "thing.make", fields, subject: "name" };

test("fields are read as their schema says", () => {
  expect(fields.map(({ name, kind, required }) => [name, kind, required])).toEqual([
    ["name", "text", true],
    ["allowHosts", "list", false],
    ["limit", "number", false],
    ["state", "text", false],
    ["configuration", "json", false],
    ["quick", "boolean", false],
  ]);
  expect(fields[3]?.choices).toEqual(["on", "off"]);
});

test("a word is the subject, JSON is data, and flags win", async () => {
  const io = testIo({}, '{"limit":3}');
  writeFileSync(join(io.cwd, "c.json"), '{"a":1}');
  expect(await dataOf(io, message, ["x"], { allowHosts: ["a"], quick: true })).toEqual({
    name: "x",
    allowHosts: ["a"],
    quick: true,
  });
  expect(await dataOf(io, message, ["x", '{"limit":1,"state":"on"}'], { limit: 2 })).toEqual({
    name: "x",
    limit: 2,
    state: "on",
  });
  expect(await dataOf(io, message, ["-"], { configuration: "@c.json" })).toEqual({ limit: 3, configuration: { a: 1 } });
  await expect(dataOf(io, message, ["x", "y"], {})).rejects.toMatchObject({ code: "USAGE_INVALID" });
  await expect(dataOf(io, message, ["{"], {})).rejects.toMatchObject({ code: "JSON_INVALID" });
  await expect(dataOf(io, message, ["@nope"], {})).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  await expect(dataOf(testIo({}, new Uint8Array([0xff])), message, ["-"], {})).rejects.toMatchObject({
    code: "JSON_INVALID",
  });
});

const presentations = await presentationsOf(presentedResources);

test("every presentation is of a message that there is", async () => {
  const names = (await standardMessages()).map(({ name }) => name);
  for (const name of Object.keys(presentations)) expect(names).toContain(name);
});

test("the words of every standard message complete", async () => {
  const words = wordsOf(await programFor(new Cli(testIo()), ["completion"]));
  for (const { name } of await standardMessages()) {
    const [resource = "", verb = ""] = name.split(".").map(wordOf);
    // What only another node says, or a program, is nothing to type.
    if (presentations[name]?.unlisted) expect(words.get(resource) ?? []).not.toContain(verb);
    else expect(words.get(resource)).toContain(verb);
  }
  expect(words.get("grant create")).toEqual(expect.arrayContaining(["--allow", "--out", "--expires", "--json"]));
  for (const shell of ["bash", "zsh", "fish"]) {
    const io = testIo();
    expect(await run(["completion", shell], io)).toBe(0);
    expect(io.out()).toContain("capstan");
  }
});

test("the script for bash is one, and completes", async () => {
  const io = testIo();
  await run(["completion", "bash"], io);
  const script = `${io.out()}\nCOMP_WORDS=(capstan grant cr); COMP_CWORD=2; _capstan; echo "\${COMPREPLY[*]}"`;
  expect(Bun.spawnSync(["bash", "-c", script]).stdout.toString()).toBe("create\n");
});

const ended = async (...argv: string[]) => {
  const io = testIo();
  return { code: await run(argv, io), out: io.out(), err: io.err() };
};

test("a typing mistake is one line with the nearest word, and 64", async () => {
  expect(await ended("perfrom", "greet")).toEqual({
    code: 64,
    out: "",
    err: 'USAGE_INVALID  unknown command "perfrom"; did you mean "perform"?\n',
  });
  expect((await ended("perform", "greet", "--wiat", "1")).err).toBe(
    'USAGE_INVALID  unknown option "--wiat"; did you mean "--wait"?\n',
  );
  expect((await ended("grant", "craete")).err).toBe(
    'USAGE_INVALID  unknown command "craete"; did you mean "create"?\n',
  );
  expect((await ended("perform")).code).toBe(64);
  expect((await ended("--json", "perfrom")).err).toBe(
    '{"code":"USAGE_INVALID","message":"unknown command \\"perfrom\\"; did you mean \\"perform\\"?"}\n',
  );
});

test("help and version are data, and no fault", async () => {
  expect(await ended("--version")).toEqual({ code: 0, out: "0.1.0\n", err: "" });
  const help = await ended("--help");
  expect([help.code, help.err]).toEqual([0, ""]);
  expect(help.out).toContain("examples:");
  expect((await ended("help", "exit-codes")).out).toContain("77  refused");
  expect((await ended("grant", "create", "--help")).out).toContain(
    "capstan grant create bob --allow action.perform:greet --out bob.token",
  );
});

test("help is found by whichever words ask for it, and its lines fit a terminal", async () => {
  const all = await ended("--help");
  for (const words of ["", "help", "help help", "help --json", "help -x"])
    expect([words, await ended(...words.split(" ").filter(Boolean))]).toEqual([words, all]);
  const verb = await ended("action", "register", "--help");
  for (const words of ["help action register", "action help register", "help help action register"])
    expect([words, await ended(...words.split(" "))]).toEqual([words, verb]);
  expect(await ended("action", "help", "help")).toEqual(await ended("action", "--help"));
  expect(await ended("--json")).toMatchObject({ code: 64, out: "" });
  const [prose = ""] = all.out.split("\nexamples:");
  for (const line of prose.split("\n")) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(80);
  const narrow = { ...testIo(), terminal: { stdout: true, stderr: true, columns: () => 56 } };
  await run(["perform", "--help"], narrow);
  const [options = ""] = narrow.out().split("\n\nOptions of every");
  for (const line of options.split("\n")) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(56);
});

test("the help of a group and of a verb say the same, and units are told", async () => {
  expect((await ended("action", "--help")).out).toMatch(/^ {2}register \[name\] \[json\] +Register an action\.$/m);
  const { out } = await ended("action", "register", "--help");
  expect(out).toStartWith("Usage: capstan action register [options] [name] [json]\n");
  for (const line of [
    /^ {2}name +what the action is called;/m,
    /^ {2}json +the data as JSON, @file, or - for standard input$/m,
    /^ {2}--timeout <duration> +milliseconds, or 30s, that one try may take/m,
    /^ {2}--attempts <number> +how often it is tried at most/m,
    /^ {2}--backoff <duration> +milliseconds, or 5s, before the second try/m,
  ])
    expect(out).toMatch(line);
  const all = (await ended("--help")).out;
  expect(all).not.toMatch(/^ {2}(config|plugin) +(show|new)$/m);
  expect((await ended("grant", "revoke", "g-2", "{}", "more")).err).toBe(
    'USAGE_INVALID  grant.revoke takes no "more"; see its --help\n',
  );
});

test("every text of a presentation is of a field that there is", async () => {
  for (const { name, data } of await standardMessages()) {
    const fields = fieldsOf(data).map((field) => field.name);
    expect(fields).toEqual(expect.arrayContaining(Object.keys(presentations[name]?.texts ?? {})));
  }
});

test("a server that is not there is 69, and bad JSON is found before it is asked", async () => {
  expect(await ended("perform", "greet")).toMatchObject({ code: 69, out: "" });
  expect((await ended("--url", "127.0.0.1:9", "--token", "x", "action", "list")).err).toStartWith(
    "UNREACHABLE  no server answers at http://127.0.0.1:9;",
  );
  expect(await ended("perform", "greet", "{")).toEqual({
    code: 65,
    out: "",
    err: "JSON_INVALID  the input of greet is not JSON: Expected '}', in {; JSON has double quotes, which a shell leaves alone within single ones: '{\"name\":\"Ada\"}'\n",
  });
});

test("a wrong command line is told in our words, with what to write, before anybody is asked", async () => {
  const told: Readonly<Record<string, string>> = {
    "perform greet {} --publication nobody": '--publication: "nobody" is not one of with, only, none',
    "perform greet {} twice": "perform takes 2 words and was given 3: greet, {}, twice; put quotes around what is one",
    "serve --port 80": 'unknown option "--port"; did you mean "--listen"?',
    "perform greet --key": "--key: its <key> is missing",
    explain: "<id> is missing; as in: capstan explain m-01J8…",
    "receipt verify r.json":
      "--key <key> is missing; as in: capstan receipt verify receipt.json --key .capstan/node.pub",
    "completion csh": 'shell: "csh" is not one of bash, zsh, fish',
    "action register x ./x.ts": 'action.register takes no "./x.ts"; did you mean --module ./x.ts?',
    "receiver register x x.js": 'receiver.register takes no "x.js"; did you mean --script x.js?',
    "action register x --attempts many": '--attempts: "many" is no number',
    "action register x --timeout soon": '--timeout "soon" is no duration; write 500ms, 30s, 5m, 2h or 7d',
    "action register x":
      "action register: say what carries it out: --module FILE, --script FILE, --http URL, or --process -- PROGRAM",
  };
  for (const [words, text] of Object.entries(told)) {
    expect(await ended(...words.split(" "))).toEqual({ code: 64, out: "", err: `USAGE_INVALID  ${text}\n` });
  }
});

test("a module is named as the server knows it", () => {
  expect(serverPath("./greet.ts", "/w", ["/w"])).toBe("./greet.ts");
  expect(serverPath("greet.ts", "/w/actions", ["/w"])).toBe("./actions/greet.ts");
  expect(serverPath("./greet.ts", "/w", [])).toBe("./greet.ts");
  expect(serverPath("../greet.ts", "/w", ["/w"])).toBe("../greet.ts");
  expect(serverPath("greet.ts", "/w/b", ["/w/a", "/w/b"])).toBe("/w/b/greet.ts");
});

test("durations and times", () => {
  expect(["0", "250", "500ms", "1.5s", "2h", "7d"].map((text) => duration(text, "--wait"))).toEqual([
    0, 250, 500, 1500, 7_200_000, 604_800_000,
  ]);
  expect(() => duration("soon", "--wait")).toThrow('--wait "soon" is no duration');
  expect(instantOf("1h", "--expires", 1000)).toBe(3_601_000);
  expect(instantOf("2026-12-01T00:00Z", "--expires", 0)).toBe(Date.UTC(2026, 11, 1));
  expect(() => instantOf("5", "--expires", 0)).toThrow("is no time");
});
