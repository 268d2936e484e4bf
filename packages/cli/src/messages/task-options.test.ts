// What carries something out, as flags; and receivers, subscriptions and protocols as they are shown.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { directory, type ServedNode, servedNode, start } from "../served-node.fixture.ts";

const cwd = directory();
const received: unknown[] = [];
let heard = Promise.withResolvers<void>();
let node: ServedNode;
const shop = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    const body = await request.text();
    received.push([request.method, body]);
    heard.resolve();
    return Response.json({ got: body === "" ? null : JSON.parse(body) });
  },
});

beforeAll(async () => {
  writeFileSync(
    join(cwd, "greet.ts"),
    'import { z } from "zod";\nimport { defineAction } from "@capstan/plugins";\nexport default defineAction({ input: z.any(), output: z.any(), async run(input) { return input; } });\n',
  );
  node = await servedNode(cwd, ["--http-allow", `127.0.0.1:${shop.port}`]);
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  await shop.stop(true);
});

async function registered(
  ...argv: string[]
): Promise<Record<string, unknown> & { configuration: Record<string, unknown> }> {
  const { code, out, err } = await node.capstan("action", "register", ...argv);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toStartWith(`registered ${argv[0]}@1`);
  return JSON.parse((await node.capstan("--json", "action", "describe", argv[0] as string)).out);
}

describe("capstan action register", () => {
  test("--process runs what stands behind --, with the input on its standard input", async () => {
    const configuration = '{"stdout":"json"}';
    const row = await registered("copy", "--process", "--configuration", configuration, "--", "/bin/cat", "-");
    expect(row.configuration).toMatchObject({ argv: ["/bin/cat", "-"], cwd, stdin: "json", stdout: "json" });
    expect((await node.capstan("perform", "copy", '{"a":"-v {\\"b\\":1}"}')).out).toBe('{"a":"-v {\\"b\\":1}"}\n');
  });

  test("--timeout and --backoff take durations as every flag does, and plain milliseconds", async () => {
    const row = await registered("timed", "--timeout", "30s", "--backoff", "250", "--process", "--", "/bin/true");
    expect(row).toMatchObject({ timeout: 30_000, backoff: 250 });
  });

  test("--process takes words that look like flags or JSON as they are", async () => {
    const row = await registered("echo", "--process", "--", "/bin/echo", "--json", '{"a":1}', "@file", "-");
    expect(row.configuration.argv).toEqual(["/bin/echo", "--json", '{"a":1}', "@file", "-"]);
    expect((await node.capstan("perform", "echo", "{}")).out).toContain('--json {\\"a\\":1} @file -');
  });

  test("--http asks an address, with the method before it, and the rest from --configuration", async () => {
    const url = `http://127.0.0.1:${shop.port}/orders`;
    const row = await registered(
      "order",
      "--http",
      `post ${url}`,
      "--transform-output",
      "got.item",
      "--breaker",
      "5,30s",
    );
    expect(row).toMatchObject({ configuration: { method: "POST", url }, breaker: { failures: 5, cooldown: 30_000 } });
    expect((await node.capstan("perform", "order", '{"item":"tea"}')).out).toBe('"tea"\n');
  });

  test("--script sends the file's text; the server never sees the file", async () => {
    const source = "export default ({ rows }) => ({ sum: rows.length });\n";
    writeFileSync(join(cwd, "tally.js"), source);
    const { err, code } = await node.capstan("action", "register", "tally", "--script", "nope.js");
    expect([code, err]).toEqual([65, expect.stringMatching(/^FILE_UNREADABLE {2}nope\.js /)]);
    const row = await registered("tally", "--script", "tally.js");
    expect(row.configuration.source).toBe(source);
  });

  test("--may that covers no message is warned of, as a grant's clauses are", async () => {
    writeFileSync(join(cwd, "idle.js"), "export default () => {};\n");
    for (const what of ["action", "receiver"])
      expect(
        await node.capstan(what, "register", "idle", "--script", "idle.js", "--may", "action.perfrom:greet"),
      ).toMatchObject({
        code: 0,
        err: expect.stringMatching(
          /^warning: action\.perfrom:greet covers no .*did you mean action\.perform:greet\?\n/,
        ),
      });
    expect((await node.capstan("action", "update", "idle", "--may", "action.list")).err).toBe("");
    expect((await node.capstan("receiver", "remove", "idle")).code).toBe(0);
  });

  test("is told what says the same twice, or nothing", async () => {
    const said = async (...argv: string[]) => {
      const { code, err } = await node.capstan("action", "register", "x", ...argv);
      return [code, err.split("\n")[0]];
    };
    expect(await said("--module", "./greet.ts", "--http", "http://x")).toEqual([
      64,
      expect.stringContaining("give one"),
    ]);
    expect(await said("--http", "http://x", "--configuration", '{"url":"http://y"}')).toEqual([
      64,
      expect.stringContaining('--http and "url" in --configuration say the same twice'),
    ]);
    expect(await said("--http", "http://x", "--protocol", "module")).toEqual([
      64,
      expect.stringContaining("leave --protocol out"),
    ]);
    expect(await said("--process")).toEqual([64, expect.stringContaining("the program is missing")]);
    expect(await said("--http", "http://x", "--breaker", "5")).toEqual([64, expect.stringContaining("5,30s")]);
    expect(await said("--http", "http://x", "--breaker", "5,soon")).toEqual([
      64,
      expect.stringContaining("is no duration"),
    ]);
    // Not allowed by --http-allow: the server says what would have to be listed.
    expect(await said("--http", "http://127.0.0.1:1/")).toEqual([77, expect.stringMatching(/^HTTP_ADDRESS_REFUSED /)]);
  });
});

describe("capstan receiver and subscription", () => {
  test("register, subscribe, are handed what is published, and are shown with how far they are", async () => {
    expect((await node.capstan("action", "register", "greet", "--module", "./greet.ts")).err).toBe("");
    expect(await node.capstan("receiver", "register", "hook", "--http", `http://127.0.0.1:${shop.port}/hook`)).toEqual({
      code: 0,
      out: "registered receiver hook@1\n",
      err: "  subscribe it: capstan subscription create TOPIC --receiver hook\n",
    });
    const made = await node.capstan("subscription", "create", "action.greet", "--receiver", "hook", "--from", "start");
    const [, id = ""] = /^subscription (s-\w+) {3}from \S+\n$/.exec(made.out) ?? [];
    received.length = 0;
    heard = Promise.withResolvers<void>();
    await node.capstan("perform", "greet", '{"name":"Ada"}');
    await heard.promise;
    expect(received).toEqual([["POST", '{"name":"Ada"}']]);
    expect((await node.capstan("receiver", "list")).out).toBe("hook@1  http\n");
    expect((await node.capstan("receiver", "show", "hook")).out).toMatch(
      /^receiver {2}hook@1 {2}http \{.*\nby +admin under g-1, .*\nmay +nothing\ntried +1 time, each for 30000 ms at most\nof +s-\w+\n$/,
    );
    expect((await node.capstan("subscription", "show", id)).out).toMatch(
      new RegExp(
        `^subscription +${id}\\ntopic +action\\.greet → hook\\nby +admin under g-1, .*\\ncursor +.*behind\\nactive\\n$`,
      ),
    );
    expect((await node.capstan("subscription", "delete", id)).out).toBe(`ended ${id}\n`);
    expect((await node.capstan("receiver", "remove", "hook")).out).toBe("removed hook@1\n");
    expect((await node.capstan("subscription", "show", id)).err).toStartWith("SUBSCRIPTION_UNKNOWN  ");
  });

  test("perform --publication says who gets the output", async () => {
    const from = JSON.parse((await node.capstan("subscription", "read", "--topic", "action.greet")).out).next as string;
    const only = await node.capstan("perform", "greet", '{"n":1}', "--publication", "only");
    expect([only.code, JSON.parse(only.out)]).toEqual([0, expect.not.objectContaining({ output: { n: 1 } })]);
    expect((await node.capstan("perform", "greet", '{"n":2}', "--publication", "none")).out).toBe('{"n":2}\n');
    const { out } = await node.capstan("tail", "action.greet", "--from", from, "--no-follow", "--json");
    expect(
      out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).data),
    ).toEqual([{ n: 1 }]);
    expect((await node.capstan("perform", "greet", "{}", "--publication", "maybe")).code).toBe(64);
  });
});

test("capstan protocol lists, describes and tests", async () => {
  expect((await node.capstan("protocol", "list")).out).toMatch(/^http +\S.*$/m);
  expect(
    JSON.parse((await node.capstan("protocol", "describe", "http")).out).configuration.properties.url,
  ).toBeDefined();
  const tested = await node.capstan("protocol", "test", "--http", `http://127.0.0.1:${shop.port}/`);
  expect([tested.code, tested.out]).toEqual([0, "it is configured well, and answers\n"]);
  expect((await node.capstan("protocol", "test", "http", "--configuration", '{"url":5}')).code).toBe(65);
});

describe("capstan top", () => {
  test("shows once where nobody watches, and samples with --json", async () => {
    const { code, out } = await node.capstan("top");
    expect([code, out]).toEqual([0, expect.stringContaining("rates since it began\nmessages  ")]);
    const json = await node.capstan("top", "--json", "--count", "2", "--interval", "100ms");
    const samples = json.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(samples).toMatchObject([{ node: { id: expect.any(String) } }, { subscriptions: [] }]);
    expect(samples[1].at).toBeGreaterThan(samples[0].at);
  });

  test("draws over itself on a terminal until Ctrl-C, and gives the cursor back", async () => {
    const live = node.start("top", "--interval", "100ms");
    await live.shows("messages");
    expect((await live.stop()).code).toBe(0);
    const over = { terminal: { stdout: true, stderr: true, rows: () => 6 } };
    const drawn = start(cwd, ["top", "--interval", "100ms"], over);
    await drawn.shows((out) => out.split("\u001b[H").length > 2);
    const { code, out } = await drawn.stop();
    expect(code).toBe(0);
    expect(out).toStartWith("\u001b[?25l\u001b[2J\u001b[H");
    expect(out).toEndWith("\u001b[?25h");
    for (const frame of out.split("\u001b[H").slice(1)) expect(frame.match(/\n/g)).toHaveLength(5);
  });

  test("refuses what it cannot do", async () => {
    for (const argv of [
      ["--interval", "1ms"],
      ["--interval", "soon"],
      ["--count", "0"],
    ])
      expect((await node.capstan("top", ...argv)).code).toBe(64);
  });
});
