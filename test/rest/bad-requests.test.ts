// Bad input at this door (issue 4, "everything of the first issue at every new door"). What fails at the edge is a problem that says
// what and where, and no entry; what reaches the pipeline is a refusal's entry without rows.

import { afterEach, expect, test } from "bun:test";
import { startNode, stopNodes, type TestNode } from "../wire/node.ts";
import { type Answer, type Asking, ask, askRaw } from "./asking.ts";

afterEach(stopNodes);

const PLAIN = /^[^\p{Cc}\p{Cf}]{10,500}$/u;

/** The request ends with a problem, before the pipeline: no entry, no row. */
async function refusedAtTheEdge(node: TestNode, request: () => Promise<Answer>): Promise<Answer> {
  const before = node.rows();
  let answer: Answer | undefined;
  const added = await node.added(async () => {
    answer = await request();
  });
  expect(added.map(({ header }) => header.message)).toEqual([]);
  expect(node.rows()).toBe(before);
  const { status, headers, body } = answer as Answer;
  expect(headers.get("content-type")).toBe("application/problem+json");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(body).toMatchObject({ status, type: `/problems/${body.code}` });
  expect(body.detail).toMatch(PLAIN);
  expect(body.instance).toBeUndefined();
  return answer as Answer;
}

async function greeting(): Promise<TestNode> {
  const node = await startNode();
  await node.ask("action", "register", { name: "greet", protocol: "echo" });
  return node;
}

test.each([
  ["POST", "/v1/acton/perform", "did you mean /v1/action/perform?"],
  ["POST", "/v1/action/preform", "did you mean /v1/action/perform?"],
  ["GET", "/v1/action/Describe", "did you mean /v1/action/describe?"],
  ["GET", "/v1/weather/forecast", "/openapi.json describes"],
  ["GET", "/v1", "/openapi.json describes"],
  ["GET", "/v1/", "/openapi.json describes"],
  ["GET", "/v1//", "/openapi.json describes"],
  ["GET", "/v1/log", "/openapi.json describes"],
  ["GET", "/v1/log/head/", "/openapi.json describes"],
  ["GET", "/v1//log/head", "/openapi.json describes"],
  ["GET", "/v1/log.head", "did you mean /v1/log/head?"],
  ["GET", "/v1/log/head/1", "/openapi.json describes"],
  ["GET", "/v1/__proto__/constructor", "/openapi.json describes"],
  ["GET", "/v1/constructor/prototype", "/openapi.json describes"],
  ["POST", "/v1/toString/call", "/openapi.json describes"],
  ["GET", "/v1/log/head;x=1", "did you mean /v1/log/head?"],
] as const)("%s %s is 404, and the nearest is named", async (method, path, hint) => {
  const node = await startNode();
  const { status, body } = await refusedAtTheEdge(node, () =>
    ask(node, method, path, method === "POST" ? { body: {} } : {}),
  );
  expect([status, body.code]).toEqual([404, "MESSAGE_UNKNOWN"]);
  expect(body.detail).toContain(hint);
});

// Dot segments and backslashes are put in order by Bun before anyone sees them; what is allowed goes by the message, not the path.
test("a path that is encoded, or in other letters, names nothing", async () => {
  const node = await startNode();
  for (const path of [
    "/v1/log%2Fhead",
    "/v1/%6cog/head",
    "/v1/log/head%00",
    "/V1/log/head",
    "/v1/log/head%20",
    "//v1/log/head",
    "/v1/log/%252e%252e/head",
    "/v1/log/head%3Flimit=1",
  ]) {
    const head = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${node.admin}\r\nConnection: close\r\n\r\n`;
    const { status, text } = await askRaw(node.url, head);
    expect({ path, status, entries: text.includes('"entries"') }).toEqual({ path, status: 404, entries: false });
  }
});

test("a method that a path does not answer is 405, and those that it does are said", async () => {
  const node = await greeting();
  for (const method of ["GET", "PUT", "DELETE", "PATCH", "HEAD"]) {
    const { status, headers } = await ask(node, method, "/v1/action/perform");
    expect([method, status, headers.get("allow")]).toEqual([method, 405, "POST, OPTIONS"]);
  }
  for (const method of ["PUT", "DELETE", "PATCH"]) {
    const refused = await refusedAtTheEdge(node, () => ask(node, method, "/v1/action/list"));
    expect([refused.status, refused.headers.get("allow"), refused.body.code]).toEqual([
      ...[405, "GET, HEAD, POST, OPTIONS", "METHOD_NOT_ALLOWED"],
    ]);
  }
  for (const path of ["/openapi.json", "/problems/REFUSED"])
    expect((await ask(node, "POST", path, { body: {} })).status).toBe(405);
  const overridden = { headers: { "x-http-method-override": "POST", "x-method-override": "POST" } };
  expect((await ask(node, "GET", "/v1/action/perform?name=greet", overridden)).status).toBe(405);
});

test("internal messages are refused", async () => {
  const node = await startNode();
  for (const path of ["/v1/execution/complete", "/v1/node/expire", "/v1/pipeline/adopt"]) {
    const { status, body } = await refusedAtTheEdge(node, () =>
      ask(node, "POST", path, { body: { execution: "x-0" } }),
    );
    expect([status, body.code]).toEqual([403, "MESSAGE_INTERNAL"]);
  }
});

test.each([
  ['{"name":"greet"', "the text ends where"],
  ["name=greet", "a value should be at line 1, column 1"],
  ['{"name":"greet"}{"name":"greet"}', "the end should be at line 1, column 17"],
  ["{'name':'greet'}", "a name should be at line 1, column 2"],
  ['{"name":"greet","name":"other"}', 'the name "name" a second time at line 1, column 17'],
  ['{"name":"greet","input":{"__proto__":{"polluted":1}}}', '"__proto__", which is no name'],
  ["[".repeat(100_000), "more than 128 levels"],
  ['{"name":"greet","input":NaN}', "a value should be"],
])("malformed JSON is told with its place: %j", async (body, said) => {
  const node = await greeting();
  const refused = await refusedAtTheEdge(node, () => ask(node, "POST", "/v1/action/perform", { body }));
  expect([refused.status, refused.body.code]).toEqual([400, "REQUEST_MALFORMED"]);
  expect(refused.body.detail).toContain(said);
  expect(Object.keys(refused.body.details)).toEqual(["line", "column", "offset"]);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("bytes that are no UTF-8 are not guessed at", async () => {
  const node = await greeting();
  const headers = { authorization: `Bearer ${node.admin}`, "content-type": "application/json" };
  const body = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]);
  const response = await fetch(`${node.url}/v1/action/perform`, { method: "POST", headers, body });
  expect([response.status, ((await response.json()) as any).code]).toEqual([400, "REQUEST_MALFORMED"]);
});

function levels(count: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < count; i++) value = { in: value };
  return value;
}

const longName = "a".repeat(201);
const invalid: Readonly<Record<string, readonly [path: string, body: unknown]>> = {
  "data that is a text": ["action/describe", '"greet"'],
  "data that is a list": ["action/describe", [{ name: "greet" }]],
  "data that is null": ["action/describe", "null"],
  "a number for a name": ["action/describe", { name: 1 }],
  "a missing name": ["action/describe", {}],
  "an unknown field": ["action/describe", { name: "greet", nmae: "x" }],
  "somebody else's principal": ["log/head", { principal: "admin" }],
  "a name with a control character": ["action/register", { name: "greet\u0000", protocol: "echo" }],
  "a name with an escape sequence": ["action/register", { name: "\u001b[2Jgreet", protocol: "echo" }],
  "a name that is turned round": ["action/register", { name: "greet\u202e", protocol: "echo" }],
  "a name that leaves its namespace": ["action/register", { name: "team/../greet", protocol: "echo" }],
  "a name that is too long": ["action/register", { name: longName, protocol: "echo" }],
  "a clause with an escape sequence": ["grant/create", { principal: "bob", allow: ["action.perform:\u001b[2J"] }],
  "no clause at all": ["grant/create", { principal: "bob", allow: [] }],
  "an expiry that no clock shows": ["grant/create", { principal: "bob", allow: ["*"], expires: 9e15 }],
  "a number that JSON writes and nobody has": ["action/perform", '{"name":"greet","input":1e999}'],
  "110 levels": ["action/perform", { name: "greet", input: levels(110) }],
};

test.each(Object.entries(invalid))("%s is 422, and says so in plain letters", async (_, [path, body]) => {
  const node = await greeting();
  const refused = await refusedAtTheEdge(node, () => ask(node, "POST", `/v1/${path}`, { body }));
  expect([refused.status, refused.body.code]).toEqual([422, "MESSAGE_INVALID"]);
});

test("an unknown field is told with the nearest, and every problem with its path", async () => {
  const node = await startNode();
  const body = { nmae: "greet", idempotent: "yes" };
  const refused = await refusedAtTheEdge(node, () => ask(node, "POST", "/v1/action/register", { body }));
  expect(refused.body.detail).toContain('did you mean "name"?');
  expect(refused.body.details).toContainEqual({ path: "name", problem: "is required" });
});

test.each([
  ["limit=two", 422, '"limit" must be number, not string'],
  ["limit=0", 422, '"limit" must be at least 1'],
  ["limit=1&limit=2", 422, '"limit" is there twice'],
  ["limti=1", 422, 'did you mean "limit"?'],
  ["limit[]=1", 422, 'unknown "limit[]"'],
  ["__proto__=1", 422, '"__proto__" is no name'],
  ["__proto__[limit]=1", 422, "unknown"],
  ["constructor=1", 422, 'unknown "constructor"'],
  ["access_token=x", 422, 'unknown "access_token"'],
  ["limit=%E0%A4%A", 400, "parameter 1 of the query"],
])("GET with ?%s is %d", async (query, status, said) => {
  const node = await startNode();
  const refused = await refusedAtTheEdge(node, () => ask(node, "GET", `/v1/action/list?${query}`));
  expect([refused.status, refused.body.detail.includes(said) || refused.body.detail]).toEqual([status, true]);
});

test("a POST's data is its body alone", async () => {
  const node = await greeting();
  const refused = await refusedAtTheEdge(node, () => ask(node, "POST", "/v1/action/perform?name=greet", { body: {} }));
  expect([refused.status, refused.body.code]).toEqual([400, "REQUEST_MALFORMED"]);
});

test.each([
  ["text/plain", '{"name":"bob"}'],
  ["application/x-www-form-urlencoded", "name=bob"],
  ["multipart/form-data; boundary=x", '--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nbob\r\n--x--'],
  ["text/json", '{"name":"bob"}'],
  ["application/json; charset=utf-16", '{"name":"bob"}'],
])("a body of %s, as any page can send one, is 415", async (type, body) => {
  const node = await startNode();
  const asking: Asking = { body, headers: { "content-type": type } };
  const refused = await refusedAtTheEdge(node, () => ask(node, "POST", "/v1/principal/create", asking));
  expect([refused.status, refused.body.code]).toEqual([415, "MEDIA_TYPE_UNSUPPORTED"]);
});

test("a body that is compressed, or says nothing of itself, is 415", async () => {
  const node = await startNode();
  const body = '{"name":"bob"}';
  const head = `Host: localhost\r\nAuthorization: Bearer ${node.admin}\r\nConnection: close\r\nContent-Length: ${body.length}`;
  const post = "POST /v1/principal/create HTTP/1.1\r\n";
  expect((await askRaw(node.url, `${post}${head}\r\n\r\n${body}`)).status).toBe(415);
  const coded = "Content-Type: application/json\r\nContent-Encoding: gzip";
  expect((await askRaw(node.url, `${post}${head}\r\n${coded}\r\n\r\n${body}`)).status).toBe(415);
});

test("who takes no JSON gets none", async () => {
  const node = await startNode();
  const refused = await refusedAtTheEdge(node, () =>
    ask(node, "GET", "/v1/log/head", { headers: { accept: "text/html" } }),
  );
  expect([refused.status, refused.body.code]).toEqual([406, "NOT_ACCEPTABLE"]);
});

test.each([
  ["idempotency-key", "a b", 400],
  ["idempotency-key", '""', 422],
  ["idempotency-key", "a".repeat(201), 422],
  ["capstan-deadline", "tomorrow", 400],
  ["capstan-deadline", "9007199254740991", 422],
])("a header %s: %s is %d", async (name, value, status) => {
  const node = await startNode();
  const asking = { body: { name: "bob" }, headers: { [name]: value } };
  expect((await refusedAtTheEdge(node, () => ask(node, "POST", "/v1/principal/create", asking))).status).toBe(status);
});

test("a body that is larger than the door takes is 413, whether it says so or not", async () => {
  const node = await startNode({ limits: { frameBytes: 1000 } });
  const large = JSON.stringify({ name: "greet", protocol: "x".repeat(2000) });
  const told = await refusedAtTheEdge(node, () => ask(node, "POST", "/v1/action/register", { body: large }));
  expect([told.status, told.body.code]).toEqual([413, "TOO_LARGE"]);
  const headers = { authorization: `Bearer ${node.admin}`, "content-type": "application/json" };
  const stream = new Response(large).body as ReadableStream;
  const untold = await fetch(`${node.url}/v1/action/register`, { method: "POST", headers, body: stream });
  expect([untold.status, ((await untold.json()) as any).code]).toEqual([413, "TOO_LARGE"]);
});

test.each([
  ["a foreign page", { origin: "https://evil.example" }],
  ["a page without an origin", { origin: "null" }],
  ["a host that was rebound", { host: "evil.example" }],
  ["a foreign page that was rebound", { host: "evil.example", origin: "http://evil.example" }],
])("%s is refused with a problem, before its credential is looked at", async (_, headers) => {
  const node = await startNode();
  for (const path of ["/v1/log/head", "/v1", "/openapi.json", "/problems/REFUSED"]) {
    const { status, body, headers: answered } = await ask(node, "GET", path, { headers });
    expect([status, body.code, body.status]).toEqual([403, "ORIGIN_REFUSED", 403]);
    expect(answered.get("content-type")).toBe("application/problem+json");
    expect(answered.get("access-control-allow-origin")).toBeNull();
  }
  const preflight = { headers: { ...headers, "access-control-request-method": "POST" }, as: null };
  expect((await ask(node, "OPTIONS", "/v1/action/perform", preflight)).status).toBe(403);
});

test("what the pipeline refuses is an entry without rows, which its problem leads to", async () => {
  const node = await startNode();
  const input = {
    type: "object",
    properties: { n: { type: "integer" } },
    required: ["n"],
    additionalProperties: false,
  };
  await node.ask("action", "register", { name: "greet", protocol: "echo", input });
  const refused: [path: string, body: object, status: number, code: string][] = [
    ["action/perform", { name: "gret", input: { n: 1 } }, 404, "ACTION_UNKNOWN"],
    ["action/perform", { name: "greet", input: { n: "1" } }, 422, "INPUT_INVALID"],
    ["action/perform", { name: "greet" }, 422, "INPUT_INVALID"],
    ["action/register", { name: "greet", protocol: "echo" }, 409, "ACTION_EXISTS"],
    ["action/register", { name: "other", protocol: "ehco" }, 422, "PROTOCOL_UNKNOWN"],
    ["action/update", { name: "greet", revision: 7 }, 409, "REVISION_CONFLICT"],
    ["principal/revoke", { name: "nobody" }, 404, "PRINCIPAL_UNKNOWN"],
  ];
  for (const [path, body, status, code] of refused) {
    const before = node.rows();
    let answer: Answer | undefined;
    const added = await node.added(async () => {
      answer = await ask(node, "POST", `/v1/${path}`, { body });
    });
    const [entry] = added;
    expect(added.map(({ header }) => header.verdict)).toEqual(["refused"]);
    expect([answer?.status, answer?.body.code, answer?.body.id]).toEqual([status, code, entry?.header.id]);
    expect(answer?.body.instance).toBe(`/v1/message/attach?id=${entry?.header.id}`);
    expect(node.rows()).toBe(before);
  }
});

test("no problem repeats a caller's control characters", async () => {
  const node = await startNode();
  const bell = "\u001b[2J\u0007\u202e";
  const shown = encodeURIComponent(bell);
  const answers = [
    ask(node, "POST", "/v1/action/register", { body: { name: "greet", protocol: bell } }),
    ask(node, "POST", "/v1/message/settle", { body: { id: bell, hold: bell, outcome: 1 } }),
    ask(node, "GET", `/v1/message/attach?id=${shown}`),
    ask(node, "GET", `/v1/log/show?id=${shown}`),
    ask(node, "GET", `/v1/log/head?${shown}=1`),
    ask(node, "GET", `/v1/${shown}/${shown}`),
    ask(node, "GET", `/problems/${shown}`),
    ask(node, "POST", "/v1/log/head", { body: { [bell]: 1 } }),
    ask(node, "POST", "/v1/log/head", { body: `{"a":1,${JSON.stringify(bell)}:1,${JSON.stringify(bell)}:1}` }),
    ask(node, "POST", "/v1/log/head", { body: bell }),
  ];
  for (const { body } of await Promise.all(answers)) expect(body.detail).toMatch(/^[^\p{Cc}\p{Cf}]+$/u);
});
