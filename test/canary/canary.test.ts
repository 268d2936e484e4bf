// A canary for every secret that a node is given (THREATS.md, "secrets"): in its configuration by reference, its environment, its
// files. A node is run through all that can be done with them, rightly and wrongly; in nothing that anybody is told or that stays
// behind is one of them. What is no secret is told in the same places: the search would find the others.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Canary, leaksIn, ownSecrets, type Planted, pairSecrets, plant } from "./planted.ts";
import { WatchedNode } from "./watched-node.ts";

/** Told on purpose, wherever the canaries could be. */
const CONTROL = `control-${crypto.randomUUID()}`;

const THROWS = `import { z } from "zod";
import { defineAction } from "@capstan/plugins";
export default defineAction({
  input: z.any(), output: z.any(),
  async run() {
    const secret = process.env.CANARY_THROWN;
    throw Object.assign(new Error("it broke: ${CONTROL}", { cause: new Error(secret) }), { secret, config: { secret } });
  },
});
`;
const configOf = (host: string): string => `import { readFileSync } from "node:fs";
import { defineConfig, definePlugin, next } from "@capstan/orchestrator";
import { standard } from "@capstan/plugins";
const key = JSON.parse(readFileSync(new URL("./config-secret.json", import.meta.url), "utf8"));
const keeper = definePlugin({ name: "keeper", version: "1", configuration: { of: "${CONTROL}" }, decide: () => next({ clause: key === "" ? key : "kept" }) });
const http = { allow: ["${host}", "127.0.0.1:${closedPort}"] };
export default defineConfig({ plugins: [...standard({ modules: { directories: ["."] }, http }), keeper] });
`;

const node = new WatchedNode();
// Gives back whatever it is given: the worst that one can talk to.
const echo = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    const given = { headers: Object.fromEntries(request.headers), body: await request.text(), url: request.url };
    const all = JSON.stringify(given);
    const quoted = { ...given, hex: Buffer.from(all).toString("hex"), encoded: encodeURIComponent(all) };
    const how = new URL(request.url).searchParams;
    const status = Number(how.get("status") ?? 200);
    const location = `${new URL(request.url).origin}/?${encodeURIComponent(all)}`;
    if (how.has("text")) return new Response(`no JSON: ${all.repeat(Number(how.get("text")))}`);
    return Response.json(quoted, { status, headers: { "x-echo": all, location } });
  },
});
/** Nobody listens there: a port that was given out may be given out again. */
const closedPort = 1;
let planted: Planted;
let canaries: readonly Canary[] = [];

beforeAll(async () => {
  planted = plant(node.cwd);
  writeFileSync(join(node.cwd, "throws.ts"), THROWS);
  writeFileSync(join(node.cwd, "capstan.config.ts"), configOf(`127.0.0.1:${echo.port}`));
  await node.start([], planted.env);
  await operate();
  await node.stop();
}, 60_000);
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  await echo.stop(true);
});

/** Everything that touches a secret, or tells of what did. */
async function operate(): Promise<void> {
  const { header, bearer, process, dotEnv } = planted.references;
  const admin = readFileSync(join(node.cwd, ".capstan", "admin.token"), "utf8").trim();
  const url = `http://127.0.0.1:${echo.port}/`;
  const headers = { "x-key": { secret: header }, "x-dot": { secret: dotEnv }, "x-control": CONTROL };
  const http = JSON.stringify({
    method: "POST",
    headers,
    bearer: { secret: bearer },
    body: { note: CONTROL, of: "{{input.of}}" },
  });
  const env = { SECRET: { secret: process } };
  const shell = (script: string, more: object = {}): string[] => [
    ...["--process", "--configuration", JSON.stringify({ env, stdin: "none", ...more })],
    ...["--", "/bin/sh", "-c", script],
  ];
  const actions: readonly (readonly [string, ...string[]])[] = [
    ["echo", "--http", `${url}a`, "--configuration", http],
    ["echo-fails", "--http", `${url}?status=500`, "--configuration", http],
    ["echo-moves", "--http", `${url}?status=302`, "--configuration", http],
    ["echo-text", "--http", `${url}?text=1`, "--configuration", http],
    ["echo-long", "--http", `${url}?text=3000`, "--configuration", http],
    ["echo-breaks", "--http", url, "--configuration", http, "--transform-output", "$error($string($))"],
    ["closed", "--http", `http://127.0.0.1:${closedPort}/`, "--configuration", JSON.stringify({ query: headers })],
    ["prints", ...shell(`echo "$SECRET"; echo "$SECRET" >&2; echo ${CONTROL}`)],
    ["fails", ...shell(`echo "$SECRET"; echo "not $SECRET: ${CONTROL}" >&2; exit 3`)],
    ["killed", ...shell('echo "$SECRET"; kill -9 $$')],
    ["unset", "--http", url, "--configuration", '{"bearer":{"secret":"env:NOT_SET"}}'],
    ["throws", "--module", "./throws.ts"],
  ];
  for (const [name, ...words] of actions) await node.capstan("action", "register", name, ...words);
  await node.capstan("receiver", "register", "hook", "--http", `${url}hook`, "--configuration", http);
  await node.capstan("receiver", "register", "broken", ...shell('echo "$SECRET" >&2; exit 4'));
  for (const receiver of ["hook", "broken"])
    await node.capstan("subscription", "create", "action.*", "--receiver", receiver, "--from", "start");
  await node.capstan("protocol", "test", "--http", url, "--configuration", http);
  // Wrong ones, and what belongs somewhere else.
  await node.capstan("action", "register", "wrong", "--http", url, "--configuration", '{"headers":{"x":{"secret":5}}}');
  await node.capstan(
    "grant",
    "create",
    "bob",
    "--allow",
    "action.perform:echo",
    "--allow",
    "execution.*",
    "--out",
    "bob.token",
  );
  const bob = readFileSync(join(node.cwd, "bob.token"), "utf8").trim();
  await node.capstan("--token-file", "bob.token", "action", "register", "mine", "--http", url, "--configuration", http);
  await node.capstan("--token-file", "bob.token", "perform", "echo", "{}");
  const ids: string[] = [];
  for (const [name] of actions) {
    for (const more of [[], ["--json"]]) {
      const { out, err } = await node.capstan("perform", name, `{"of":"${CONTROL}"}`, ...more);
      ids.push(...(`${out}${err}`.match(/\b[mx]-[0-9A-Z]{16}\b/g) ?? []));
    }
  }
  // Who is handed what was published fails in its own time.
  let letters: string[] = [];
  for (let listed = ""; !/ broken +PROCESS_FAILED /.test(listed); ) {
    listed = (await node.capstan("deadLetter", "list")).out;
    letters = listed.match(/\bd-[0-9A-Z]{16}\b/g) ?? [];
  }
  for (const letter of new Set(letters)) await node.capstan("deadLetter", "show", letter);
  for (const id of new Set([...ids, ...letters])) await node.capstan("explain", id);
  for (const words of TOLD) await node.capstan(...words.split(" "));
  for (const words of TOLD) await node.capstan("--json", ...words.split(" "));
  await node.capstan("backup", "node.backup");
  await node.capstanWith(planted.commandEnv, "config", "show");
  await node.capstanWith(planted.commandEnv, "action", "list");
  for (const flag of ["--otel", "--url"]) await node.capstan("config", "show", flag, planted.address);
  await node.capstan("--url", planted.address, "log", "head");
  await node.capstan("serve", "--memory", "--data", "other", "--otel", planted.address.replace("http", "ftp"));
  await node.capstan("--token", "wrong", "action", "list");
  const home = { XDG_CONFIG_HOME: join(node.cwd, "config") };
  await node.capstanWith(home, "context", "add", "here", "--use", "--url", node.url, "--token-file", "bob.token");
  for (const words of ["context list", "context show", "--context here execution list"])
    await node.capstanWith(home, ...words.split(" "));

  // The secrets of pairs: in the invitations that they are handed over in, and in the node's own files.
  const policies = ["--import", "action:report.*", "--export", "action:echo"];
  const address = ["--address", node.url];
  for (const name of ["osaka", "lima"])
    await node.capstan("peer", "invite", name, ...policies, ...address, "--out", `${name}.invite`);
  // By whoever may not, a second time, and where it cannot be: what was kept for it is as secret.
  await node.capstan("--token-file", "bob.token", "peer", "invite", "quito", ...policies, "--out", "quito.invite");
  await node.capstan("peer", "invite", "osaka", ...policies, ...address, "--out", "again.invite");
  await node.capstan("peer", "add", "self", "--invite", "osaka.invite", ...policies, "--wait", "1s");
  const [pairs, invites] = pairSecrets(node.cwd);
  const [brought = ""] = invites.map(({ text }) => text);
  for (const token of [admin, bob, undefined])
    await node.ask("/v1/peer/keep", token, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: "quito", secret: brought }),
    });
  await node.capstan("apply", "peer.keep", JSON.stringify({ name: "quito", secret: `${brought}x` }));
  for (const words of ["peer list", "peer show osaka", "peer show self", "peer remove lima", "route list --filtered"])
    for (const more of [[], ["--json"]]) await node.capstan(...words.split(" "), ...more);
  for (const path of ["/metrics", "/openapi.json", "/healthz", "/readyz", "/v1", "/v1/action", "/nothing"]) {
    await node.ask(path);
    await node.ask(path, admin);
    await node.ask(path, `${bob}x`);
  }
  const json = { "content-type": "application/json" };
  for (const name of ["echo", "echo-fails", "fails", "throws"])
    await node.ask("/v1/action/perform", admin, {
      method: "POST",
      headers: json,
      body: JSON.stringify({ name, input: { of: CONTROL } }),
    });
  await node.ask("/v1/action/perform", bob, { method: "POST", headers: json, body: `{"token":"${bob}` });
  await node.ask("/rpc", undefined, { method: "POST", body: `["push",["pipeline",0,["connectionFromCli"],["${bob}"` });
  await node.follow("/events?topic=action.*&from=start", admin, CONTROL);
  canaries = [
    ...[...planted.canaries, ...ownSecrets(join(node.cwd, ".capstan")), { what: "bob's credential", text: bob }],
    ...[...pairs, ...invites],
  ];
}

const TOLD = [
  ...["action list", "action describe echo", "receiver list", "receiver show hook", "subscription list", "grant list"],
  ...[
    "execution list",
    "deadLetter list",
    "log list --limit 200",
    "log export --from 1 --limit 200",
    "log head",
    "log verify",
  ],
  ...[
    "log tail --from 1 --no-follow",
    "log receipt 3",
    "tail --from start --no-follow",
    "subscription read --topic action.* --after start",
  ],
  ...[
    "messages",
    "protocol list",
    "protocol describe http",
    "node metrics",
    "top --once",
    "config show",
    "doctor",
    "principal list",
  ],
  ...["rehearse --grant g-2 --allow action.perform:none --all", "log checkpoint", "apply execution.list {}"],
];

describe("no secret that a node is given", () => {
  test("is in anything that it says, that is said of it, or that stays behind", () => {
    expect(leaksIn(node.said, canaries)).toEqual([]);
    expect(canaries.length).toBeGreaterThan(10);
    const whats = canaries.map(({ what }) => what);
    expect(whats).toContain("osaka.invite");
    expect(whats.some((what) => what.startsWith("osaka-"))).toBe(true);
  });

  test("is left out by leaving everything out: what is no secret is told in the same places", () => {
    const where = new Set(leaksIn(node.said, [{ what: "control", text: CONTROL }]).map((leak) => leak.where));
    for (const place of [
      ...["capstan --json action describe echo", "capstan --json receiver show hook"],
      "capstan tail --from start --no-follow",
      ...["capstan --json execution list", "capstan log export --from 1 --limit 200"],
      ...[
        "POST /v1/action/perform",
        "GET /events?topic=action.*&from=start",
        "the file .capstan/log.db",
        "the file node.backup",
      ],
    ])
      expect([...where]).toContain(place);
    expect([...where].filter((one) => one.startsWith("capstan explain "))).not.toEqual([]);
    for (const [place, words] of [
      ["traces", "action.perform"],
      ["the node's log", "action.perform"],
      ["GET /metrics", "capstan_"],
      ["GET /openapi.json", "/v1/action/perform"],
    ] as const)
      expect(Buffer.from(node.said.get(place) ?? "").includes(words)).toBe(true);
    // Where a secret was, its name is.
    const letters = [...node.said].filter(([place]) => place.startsWith("capstan deadLetter show"));
    expect(letters.map(([, text]) => text).join("\n")).toContain(`[secret ${planted.references.process}]`);
    expect(node.said.get("POST /v1/action/perform")).toContain(`[secret ${planted.references.header}]`);
  });
});

describe("the search", () => {
  test("finds each of them where it is let out, in every form", () => {
    for (const { what, text } of canaries) {
      const forms = [
        text,
        JSON.stringify({ text }),
        encodeURIComponent(text),
        btoa(text),
        Buffer.from(text).toString("hex"),
      ];
      for (const form of forms) {
        const said = new Map([["a line", `before ${form} after`]]);
        expect(leaksIn(said, canaries).map((leak) => leak.what)).toContain(what);
      }
      expect(leaksIn(new Map([["a file", Buffer.from(`\0${text}\0`)]]), canaries)).not.toEqual([]);
    }
  });
});
