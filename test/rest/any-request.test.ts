// Whatever is asked is answered: a result, or a problem that says what is wrong with it; never a bug's, and never anything that a
// message did not say.

import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { startNode, stopNodes, type TestNode } from "../wire/node.ts";

let node: TestNode;
beforeAll(async () => {
  node = await startNode({ limits: { frameBytes: 5000 } });
  await node.ask("action", "register", { name: "greet", protocol: "echo" });
});
afterAll(stopNodes);

const segment = fc.constantFrom(
  "action",
  "log",
  "list",
  "perform",
  "head",
  "describe",
  "explain",
  "__proto__",
  "",
  "%2f",
  "..",
  "ä",
  "A",
);
const path = fc.array(segment, { maxLength: 4 }).map((parts) => `/v1/${parts.join("/")}`);
const known = fc.constantFrom(
  "/v1/action/list",
  "/v1/action/perform",
  "/v1/action/describe",
  "/v1/log/list",
  "/v1/log/show",
  "/v1/message/attach",
);
const word = fc.oneof(
  fc.constantFrom(
    "name",
    "limit",
    "after",
    "before",
    "input",
    "id",
    "entry",
    "__proto__",
    "constructor",
    "greet",
    "1",
    "-1",
    "1e9",
    "true",
    "null",
    "{}",
    "[",
    '"',
    "%ff",
    "%",
    "a=b",
  ),
  fc.string({ maxLength: 6 }),
);
const query = fc
  .array(fc.tuple(word, word), { maxLength: 3 })
  .map((pairs) => pairs.map(([a, b]) => `${a}=${b}`).join("&"));
const body = fc.oneof(
  fc.json({ maxDepth: 3 }),
  fc.string(),
  fc.dictionary(word, fc.jsonValue()).map((one) => JSON.stringify(one)),
  fc.constant("x".repeat(6000)),
);
const header = fc.constantFrom<[string, string]>(
  ...([
    ["idempotency-key", '"k"'],
    ["idempotency-key", "a, b"],
    ["prefer", "wait=0"],
    ["prefer", ",;=,"],
  ] as [string, string][]),
  ...([
    ["accept", "text/html"],
    ["accept", ";;,"],
    ["if-none-match", "*"],
    ["content-type", "text/plain"],
  ] as [string, string][]),
  ...([
    ["content-encoding", "gzip"],
    ["traceparent", "x"],
    ["x-request-id", "a b"],
    ["capstan-deadline", "1"],
  ] as [string, string][]),
);
const method = fc.constantFrom("GET", "POST", "POST", "HEAD", "OPTIONS", "PUT", "DELETE");

test("any request is answered, in the door's own form", async () => {
  const { faults } = node.orchestrator.composition;
  await fc.assert(
    fc.asyncProperty(
      method,
      fc.oneof(path, known),
      query,
      body,
      fc.array(header, { maxLength: 2 }),
      async (verb, at, asked, text, more) => {
        const response = await fetch(`${node.url}${at}${asked === "" ? "" : `?${encodeURI(asked)}`}`, {
          method: verb,
          headers: {
            authorization: `Bearer ${node.admin}`,
            "content-type": "application/json",
            ...Object.fromEntries(more),
          },
          ...(verb === "GET" || verb === "HEAD" || verb === "OPTIONS" ? {} : { body: text }),
        });
        const answer = await response.text();
        expect([at, response.status]).not.toEqual([at, 500]);
        // Dot segments lead out of the door's paths, to the node's own 404.
        if (!response.headers.has("x-request-id")) {
          expect([at.includes(".."), response.status]).toEqual([true, 404]);
          return;
        }
        expect(response.headers.get("x-content-type-options")).toBe("nosniff");
        if (answer === "")
          expect([200, 204, 304, 401, 404, 405, 406, 413, 415, 422, 400, 504, 409, 403]).toContain(response.status);
        else if (response.status >= 400) {
          const { code, status, detail } = JSON.parse(answer);
          expect([status, faults.get(code)?.status]).toEqual([response.status, response.status]);
          expect(detail).toMatch(/^[^\p{Cc}\p{Cf}]+$/u);
        } else JSON.parse(answer);
      },
    ),
    { numRuns: 400, seed: 4 },
  );
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect(node.lines.filter((line) => line.includes("an answer failed"))).toEqual([]);
});
