// The description of the door (issue 4, must show 4): a public validator passes it, and a client that a public generator makes of
// it compiles with the project's compiler, performs, pages, and gets problems whose codes it knows by type.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createOrchestrator, type Orchestrator, serve } from "@capstan/orchestrator";
import { standard } from "@capstan/plugins";
import { Validator } from "@seriousme/openapi-schema-validator";
import openapiTS, { astToString } from "openapi-typescript";
import { startNode, stopNodes, type TestNode } from "../wire/node.ts";

const ROOT = join(import.meta.dir, "..", "..");
// Inside the clone, so that its imports resolve; inside node_modules, so that nothing else looks at it.
const DIRECTORY = join(ROOT, "node_modules", ".capstan", "rest-client");

let node: TestNode;
let description: any;

beforeAll(async () => {
  node = await startNode();
  description = await (await fetch(`${node.url}/openapi.json`)).json();
});
afterAll(stopNodes);

test("a public validator passes it, and every reference leads somewhere", async () => {
  const validator = new Validator();
  expect(await validator.validate(structuredClone(description))).toEqual({ valid: true });
  expect(validator.version).toBe("3.1");
  expect(() => validator.resolveRefs()).not.toThrow();
});

test("so does that of the pipeline that everyone gets", async () => {
  const hub = await createOrchestrator({ plugins: standard() });
  const serving = serve(hub as Orchestrator, { listen: "127.0.0.1:0" });
  const response = await fetch(`${serving.url}/openapi.json`);
  expect(await new Validator().validate((await response.json()) as any)).toEqual({ valid: true });
  await serving.stop();
});

test("it has every message that can be asked so, with its schema, and no internal one", async () => {
  const listed = (await node.ask("message", "list")) as {
    name: string;
    kind: string;
    summary: string;
    data: unknown;
  }[];
  const paths = Object.keys(description.paths).filter((path) => path.startsWith("/v1/"));
  const offered = [...node.orchestrator.composition.routes.values()].filter(
    ({ definition }) => definition.live === undefined,
  );
  const names = offered.filter(({ definition }) => !definition.internal).map(({ name }) => name);
  expect(paths).toEqual(names.map((name) => `/v1/${name.replace(".", "/")}`).sort());
  for (const { name, kind, summary } of listed.filter((one) => names.includes(one.name))) {
    const { get, post } = description.paths[`/v1/${name.replace(".", "/")}`];
    expect(post).toMatchObject({ summary, "x-capstan": { message: name, kind } });
    expect(get !== undefined).toBe(kind === "query");
    const reference = post.requestBody.content["application/json"].schema.$ref;
    expect(description.components.schemas[reference.split("/").at(-1)]).toMatchObject({ type: "object" });
  }
});

test("no two operations have one name, and each tells what it refuses with", () => {
  const operations = Object.values(description.paths).flatMap((path) => Object.values(path as object)) as any[];
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { operationId, responses } of operations.filter(({ security }) => security === undefined)) {
    expect([operationId, Object.keys(responses)]).toEqual([
      operationId,
      expect.arrayContaining([
        "200",
        "400",
        "401",
        "403",
        "404",
        "405",
        "406",
        "413",
        "415",
        "422",
        "429",
        "503",
        "default",
      ]),
    ]);
  }
  const codes = Object.values(description.components.schemas)
    .flatMap((schema: any) => schema.allOf?.[1]?.properties?.code?.enum ?? [])
    .sort();
  const declared = [...node.orchestrator.composition.faults].filter(
    ([code, { status }]) => status !== 500 || code === "INTERNAL",
  );
  expect(codes).toEqual(declared.map(([code]) => code).sort());
});

test("the same composition gives the same text, and whoever has it need not get it again", async () => {
  const first = await fetch(`${node.url}/openapi.json`);
  const again = await fetch(`${node.url}/openapi.json`, {
    headers: { "if-none-match": first.headers.get("etag") as string },
  });
  expect([first.status, again.status, await again.text()]).toEqual([200, 304, ""]);
  const other = await startNode();
  expect(await (await fetch(`${other.url}/openapi.json`)).text()).toBe(await first.text());
});

/** What somebody writes against the generated types; what must not compile is marked. */
const PROGRAM = `
import createClient from "openapi-fetch";
import type { components, paths } from "./api.ts";

type Problem = components["schemas"]["Problem404"] | components["schemas"]["Problem422"];

export async function run(baseUrl: string, token: string) {
  const client = createClient<paths>({ baseUrl, headers: { authorization: \`Bearer \${token}\` } });

  for (const name of ["a", "b", "c", "d", "e"]) {
    const { data } = await client.POST("/v1/action/register", { body: { name, protocol: "echo" } });
    // 202 would say that it is pending: whoever reads the result has to have looked.
    if (data === undefined || "pending" in data) throw new Error("not registered");
    const revision: number = data.revision;
    if (revision !== 1) throw new Error("not the first");
  }
  const performed = await client.POST("/v1/action/perform", {
    body: { name: "a", input: { text: "hello" } },
    params: { header: { "Idempotency-Key": '"once"', Prefer: "wait=10" } },
  });

  const pages: string[][] = [];
  let after: string | undefined;
  do {
    const { data } = await client.GET("/v1/action/list", { params: { query: { limit: 2, ...(after ? { after } : {}) } } });
    if (data === undefined) throw new Error("no page");
    pages.push(data.items.map((item) => item.name));
    after = data.next;
  } while (after !== undefined);

  const absent = await client.POST("/v1/action/perform", { body: { name: "f" } });
  let told = "";
  if (absent.error !== undefined) {
    // A code is one of those that there are.
    switch (absent.error.code) {
      case "ACTION_UNKNOWN":
        told = absent.error.detail;
        break;
      // @ts-expect-error: no plugin has that code
      case "ACTION_UNKNWON":
        break;
      default:
        throw new Error(absent.error.code);
    }
  }
  const problem = absent.error as Problem;

  // @ts-expect-error: no message has that path
  await client.GET("/v1/action/lists").catch(() => {});
  // @ts-expect-error: the name is required
  const nameless = await client.POST("/v1/action/perform", { body: { input: 1 } });
  // @ts-expect-error: a limit is a number
  const limited = await client.GET("/v1/action/list", { params: { query: { limit: "two" } } });
  return {
    performed: performed.data,
    pages,
    told,
    problem,
    status: absent.response.status,
    refused: [nameless.error?.code, limited.error?.code],
  };
}
`;

test("a client that is generated from it performs, pages and gets a typed problem", async () => {
  // What it needs to run is in this clone: nothing is downloaded.
  expect(import.meta.resolve("openapi-fetch")).toStartWith(pathToFileURL(ROOT).href);
  rmSync(DIRECTORY, { recursive: true, force: true });
  mkdirSync(DIRECTORY, { recursive: true });
  await Bun.write(join(DIRECTORY, "api.ts"), astToString(await openapiTS(structuredClone(description))));
  await Bun.write(join(DIRECTORY, "main.ts"), PROGRAM);
  const tsconfig = { extends: join(ROOT, "tsconfig.json"), include: [], files: ["main.ts", "api.ts"] };
  await Bun.write(join(DIRECTORY, "tsconfig.json"), JSON.stringify(tsconfig));
  // On one thread: several check what they share once each.
  const command = [process.execPath, join(ROOT, "node_modules", ".bin", "tsc"), "--singleThreaded", "-p", DIRECTORY];
  const compiler = Bun.spawn(command, { stdout: "pipe" });
  expect([await new Response(compiler.stdout).text(), await compiler.exited]).toEqual(["", 0]);

  const { run } = await import(join(DIRECTORY, "main.ts"));
  expect(await run(node.url, node.admin)).toEqual({
    performed: { execution: expect.stringMatching(/^x-/), output: { text: "hello" } },
    pages: [["a", "b"], ["c", "d"], ["e"]],
    told: expect.stringContaining('there is no action "f"'),
    problem: expect.objectContaining({ status: 404, type: "/problems/ACTION_UNKNOWN", retryable: false }),
    status: 404,
    refused: ["MESSAGE_INVALID", "MESSAGE_INVALID"],
  });
});
