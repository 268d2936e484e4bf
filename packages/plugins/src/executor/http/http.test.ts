import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { callOf, faultFrom, perform } from "../template/call.fixture.ts";
import { http } from "./http.ts";

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

let server: Bun.Server<undefined>;
let base: string;
const seen: Seen[] = [];
const local = http({ allow: ["127.0.0.1:*"] });

beforeAll(() => {
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      seen.push({
        method: request.method,
        path: pathname + search,
        headers: request.headers.toJSON(),
        body: await request.text(),
      });
      const status = /^\/status\/(\d+)/.exec(pathname)?.[1];
      if (status !== undefined) return new Response("it says why", { status: Number(status), headers: retry(search) });
      if (pathname === "/text")
        return new Response("grüße", { headers: { "content-type": "text/plain; charset=utf-8" } });
      if (pathname === "/latin") {
        const headers = { "content-type": "text/plain; charset=iso-8859-1" };
        return new Response(new Uint8Array([0x67, 0xfc]), { headers });
      }
      if (pathname === "/no-json") return new Response("<html>", { headers: { "content-type": "text/html" } });
      if (pathname === "/bytes") return new Response(new Uint8Array([0x22, 0xff, 0x22]));
      if (pathname === "/empty") return new Response(null, { status: 204 });
      return Response.json({ ok: true }, { headers: { etag: '"1"', "set-cookie": "a=b" } });
    },
  });
  base = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.stop(true));

function retry(search: string): Record<string, string> {
  return search === "" ? {} : { "retry-after": decodeURIComponent(search.slice(1)) };
}

async function sent(configuration: object, options?: Parameters<typeof perform>[2]): Promise<Seen> {
  seen.length = 0;
  await perform(local, configuration, options);
  return seen[0] as Seen;
}

describe("the request", () => {
  test("has the input where the templates put it, percent-encoded in the URL", async () => {
    const got = await sent(
      {
        url: `${base}/users/{{input.id}}/posts?fixed=1&q={{input.q}}`,
        query: { page: "{{input.page}}", tags: "{{input.tags}}", none: "{{input.none?}}", lit: "a b" },
        headers: { "X-Name": "n-{{input.id}}", "X-None": "{{input.none?}}" },
      },
      { input: { id: "a/b?c#d", q: "x&y=1 é", page: 2, tags: ["r&d", 7] } },
    );
    expect(got.path).toBe("/users/a%2Fb%3Fc%23d/posts?fixed=1&q=x%26y%3D1%20%C3%A9&page=2&tags=r%26d&tags=7&lit=a+b");
    expect(got.headers["x-name"]).toBe("n-a/b?c#d");
    expect(got.headers).not.toHaveProperty("x-none");
    expect(got.method).toBe("GET");
    expect(got.body).toBe("");
  });

  test("carries the key of all attempts, unless it only reads, and the traceparent", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const post = await sent({ url: base, method: "POST" }, { traceparent });
    expect(post.headers).toMatchObject({ "idempotency-key": "k-1", traceparent, "user-agent": "capstan" });
    expect((await sent({ url: base })).headers).not.toHaveProperty("idempotency-key");
    const named = await sent({ url: base, method: "PUT", idempotencyHeader: "X-Request-Id" });
    expect(named.headers["x-request-id"]).toBe("k-1");
    const none = await sent({ url: base, method: "DELETE", idempotencyHeader: false });
    expect(none.headers).not.toHaveProperty("idempotency-key");
  });

  test("sends the input as JSON where nothing else is said, or what the body's template comes to", async () => {
    const input = { a: [1, { b: null }] };
    const plain = await sent({ url: base, method: "POST" }, { input });
    expect(JSON.parse(plain.body)).toEqual(input);
    expect(plain.headers["content-type"]).toBe("application/json");
    const body = { all: "{{input}}", text: "n={{input.a.0}}", fixed: [true, 1], gone: "{{input.x?}}" };
    const filled = await sent({ url: base, method: "PATCH", body }, { input });
    expect(JSON.parse(filled.body)).toEqual({ all: input, text: "n=1", fixed: [true, 1] });
    const own = await sent({ url: base, method: "POST", headers: { "Content-Type": "application/vnd.x+json" } });
    expect(own.headers["content-type"]).toBe("application/vnd.x+json");
    expect((await sent({ url: base, method: "DELETE" }, { input })).body).toBe("");
  });

  test("sends a form or a text where that is asked", async () => {
    const form = await sent(
      { url: base, method: "POST", send: "form", body: { a: "{{input.a}}", list: "{{input.list}}" } },
      { input: { a: "x&y=z", list: [1, true] } },
    );
    expect(form.body).toBe("a=x%26y%3Dz&list=1&list=true");
    expect(form.headers["content-type"]).toBe("application/x-www-form-urlencoded");
    const text = await sent({ url: base, method: "PUT", send: "text", body: "<{{input.a}}>" }, { input: { a: "b" } });
    expect(text.body).toBe("<b>");
    for (const [send, body] of [
      ["form", "x"],
      ["form", { a: { b: 1 } }],
      ["text", { a: 1 }],
    ]) {
      const fault = await faultFrom(() => perform(local, { url: base, method: "POST", send, body }));
      expect(fault.code).toBe("TEMPLATE_VALUE_REFUSED");
    }
  });

  test("has a receiver's publication for its templates", async () => {
    const publication = { topic: "action.greet", cursor: "1.a", id: "m-1", at: 1, subscription: "s-1" };
    const got = await sent(
      { url: `${base}/{{publication.topic}}`, method: "POST", headers: { "X-Cursor": "{{publication.cursor}}" } },
      { publication, input: { text: "Hello" } },
    );
    expect(got.path).toBe("/action.greet");
    expect(got.headers["x-cursor"]).toBe("1.a");
    expect(got.body).toBe('{"text":"Hello"}');
  });

  test("has secrets in headers, query, body and as bearer, and takes no braces in them for a template", async () => {
    const secrets = { "env:A": "canary-{{input.x}}", "env:B": "canary&b" };
    const got = await sent(
      {
        url: base,
        method: "POST",
        bearer: { secret: "env:B" },
        headers: { "X-A": { secret: "env:A" } },
        query: { key: { secret: "env:B" } },
        body: { a: { secret: "env:A" }, n: "{{input.n}}" },
      },
      { secrets, input: { n: 1 } },
    );
    expect(got.headers).toMatchObject({ "x-a": "canary-{{input.x}}", authorization: "Bearer canary&b" });
    expect(got.path).toBe("/?key=canary%26b");
    expect(JSON.parse(got.body)).toEqual({ a: "canary-{{input.x}}", n: 1 });
  });

  test.each([
    ["a line break in a header", { headers: { "X-A": "{{input.v}}" } }, "x\r\nX-Admin: 1"],
    ["a bare line feed", { headers: { "X-A": "{{input.v}}" } }, "x\ny"],
    ["a NUL", { headers: { "X-A": "{{input.v}}" } }, "x\0y"],
    ["what is beyond Latin-1", { headers: { "X-A": "{{input.v}}" } }, "日本"],
    ["an object in a header", { headers: { "X-A": "{{input.v}}" } }, { a: 1 }],
    ["an object in the query", { query: { a: "{{input.v}}" } }, { a: 1 }],
    ["null in the query", { query: { a: "{{input.v}}" } }, null],
  ])("refuses %s", async (_, more, v) => {
    seen.length = 0;
    const fault = await faultFrom(() => perform(local, { url: base, ...more }, { input: { v } }));
    expect(fault.code).toBe("TEMPLATE_VALUE_REFUSED");
    expect(seen).toEqual([]);
  });

  test.each(["..", ".", "", { a: 1 }, "\ud800"])("lets %p make no other path of the URL", async (v) => {
    const fault = await faultFrom(() => perform(local, { url: `${base}/files/{{input.v}}/x` }, { input: { v } }));
    expect(fault.code).toBe("TEMPLATE_VALUE_REFUSED");
  });

  test("takes dots and escapes that are only a part of a step as they are", async () => {
    const got = await sent({ url: `${base}/f/{{input.v}}/{{input.w}}` }, { input: { v: "../../etc", w: "%2e%2e" } });
    expect(got.path).toBe("/f/..%2F..%2Fetc/%252e%252e");
    const fault = await faultFrom(() => perform(local, { url: `${base}/f/.{{input.v}}` }, { input: { v: "." } }));
    expect(fault.code).toBe("TEMPLATE_VALUE_REFUSED");
  });
});

describe("the output", () => {
  test("is the body, or with it the status and the headers that say something of it", async () => {
    expect(await perform(local, { url: base })).toEqual({ ok: true });
    expect(await perform(local, { url: base, answer: "response" })).toEqual({
      status: 200,
      headers: { "content-type": expect.stringContaining("application/json"), etag: '"1"' },
      body: { ok: true },
    });
    expect(await perform(local, { url: `${base}/text`, response: "text" })).toBe("grüße");
    expect(await perform(local, { url: `${base}/latin`, response: "text" })).toBe("gü");
    expect(await perform(local, { url: `${base}/empty` })).toBeNull();
    expect(await perform(local, { url: `${base}/x`, method: "HEAD" })).toBeNull();
  });

  test.each(["/no-json", "/bytes"])("is no output where %s is no JSON", async (path) => {
    const fault = await faultFrom(() => perform(local, { url: base + path }));
    expect(fault).toMatchObject({ code: "HTTP_RESPONSE_INVALID", message: expect.stringContaining("is no JSON") });
  });

  test.each([
    [404, "HTTP_STATUS"],
    [401, "HTTP_STATUS"],
    [304, "HTTP_STATUS"],
    [408, "HTTP_UNAVAILABLE"],
    [425, "HTTP_UNAVAILABLE"],
    [429, "HTTP_UNAVAILABLE"],
    [500, "HTTP_UNAVAILABLE"],
    [503, "HTTP_UNAVAILABLE"],
  ])("is a fault for %i: %s", async (status, code) => {
    const fault = await faultFrom(() => perform(local, { url: `${base}/status/${status}?x=1` }));
    expect(fault.code).toBe(code);
    expect(fault.message).toBe(`it: GET ${base}/status/${status} answered ${status}`);
    expect(fault.details).toEqual({ status, ...(status === 304 ? {} : { body: "it says why" }) });
  });

  test("tells how long the service asks to wait", async () => {
    const after = async (value: string) => {
      const fault = await faultFrom(() => perform(local, { url: `${base}/status/429?${encodeURIComponent(value)}` }));
      return (fault.details as { retryAfter?: number }).retryAfter;
    };
    expect(await after("120")).toBe(120);
    expect(await after("Wed, 21 Oct 2015 07:28:00 GMT")).toBe(0);
    expect(await after("soon")).toBeUndefined();
  });

  test("is what the configuration expects, instead of 2xx", async () => {
    const configuration = { url: `${base}/status/404`, expect: [404], response: "text" };
    expect(await perform(local, configuration)).toBe("it says why");
    const fault = await faultFrom(() => perform(local, { url: base, expect: [201] }));
    expect(fault).toMatchObject({ code: "HTTP_STATUS", details: { status: 200 } });
  });

  test("that is a fault has no secret and no query in it", async () => {
    const secret = "canary-9f3b2c";
    const echo = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request) =>
        new Response("x".repeat(490) + request.headers.get("authorization"), { status: 400, statusText: "canary" }),
    });
    const where = `127.0.0.1:${echo.port}/p`;
    const url = `http://${where}`;
    const configuration = { url, bearer: { secret: "env:T" }, query: { k: { secret: "env:T" } } };
    const fault = await faultFrom(() => perform(local, configuration, { secrets: { "env:T": secret } }));
    await echo.stop(true);
    const gone = await faultFrom(() => perform(local, configuration, { secrets: { "env:T": secret } }));
    expect(gone.code).toBe("HTTP_UNREACHABLE");
    for (const text of [JSON.stringify(fault), JSON.stringify(gone)]) {
      expect(text).not.toContain("cana");
      expect(text).toContain(where);
    }
  });
});

describe("the configuration", () => {
  test.each([
    [{ url: "ftp://example.com/" }, '"url"'],
    [{ url: "file:///etc/passwd" }, '"url"'],
    [{ url: "//example.com/" }, '"url"'],
    [{ url: "{{input.url}}" }, '"url"'],
    [{ url: "http://{{input.host}}/" }, '"url"'],
    [{ url: "http://example.com{{input.path}}" }, '"url"'],
    [{ url: "http://example.com:{{input.port}}/" }, '"url"'],
    [{ url: "{{input.scheme}}://example.com/" }, '"url"'],
    [{ url: "http://user:secret@example.com/" }, "without user or password"],
    [{ url: "http://example.com@127.0.0.1/" }, "without user or password"],
    [{ url: "http://example.com/a/../b" }, '".."'],
    [{ url: "http://example.com/a/%2E%2e/b" }, '".."'],
    [{ url: "http://example.com/#x" }, "fragment"],
    [{ url: "http://example.com\\@evil/" }, '"url"'],
    [{ url: "http://exa\tmple.com/" }, '"url"'],
    [{ url: "http://example.com/a b" }, "blank"],
    [{ url: "http://a..b/" }, "no host name"],
    [{ url: "http://example.com:99999/" }, '"url"'],
    [{ url: "http://[fe80::1%25eth0]/" }, '"url"'],
    [{ url: "http://example.com/{{input.x" }, "not closed"],
    [{ url: "http://example.com/", headers: { Host: "x" } }, "set by the protocol"],
    [{ url: "http://example.com/", headers: { "content-Length": "1" } }, "set by the protocol"],
    [{ url: "http://example.com/", headers: { "a b": "1" } }, "no name of a header"],
    [{ url: "http://example.com/", headers: { "a\r\nb": "1" } }, "no name of a header"],
    [{ url: "http://example.com/", headers: { A: "1", a: "2" } }, "set twice"],
    [{ url: "http://example.com/", bearer: "tokentoken", headers: { authorization: "x" } }, "set twice"],
    [{ url: "http://example.com/", headers: { A: "1\r\nB: 2" } }, "what a header cannot"],
    [{ url: "http://example.com/", headers: { A: "{{x}}" } }, "headers"],
    [{ url: "http://example.com/", body: { a: "{{" }, method: "POST" }, "body"],
    [{ url: "http://example.com/", body: 1 }, "GET has none"],
    [{ url: "http://example.com/", methd: "GET" }, "methd"],
    [{ url: "http://example.com/", method: "TRACE" }, "method"],
    [{ url: "http://example.com/", maxBytes: 2 ** 40 }, "maxBytes"],
    [{}, "url"],
  ])("%j is refused", async (configuration, problem) => {
    const fault = await faultFrom(() => callOf(local, configuration));
    expect(fault).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining(problem) });
  });

  test("needs a right only where the address is not public, or the operator lists the name", () => {
    const listed = http({ allow: ["127.0.0.1:*", "[::1]:*", "intern.example:443"] });
    const rights = (url: string) => listed.rights?.(callOf(listed, { url }).configuration);
    expect(rights("https://example.com/")).toEqual([]);
    expect(rights("https://1.1.1.1/")).toEqual([]);
    expect(rights("http://intern.example/")).toEqual([]);
    expect(rights("https://intern.example./x")).toEqual([
      { resource: "http", verb: "connect", name: "intern.example:443" },
    ]);
    expect(rights("http://0x7f.1:8080/")).toEqual([{ resource: "http", verb: "connect", name: "127.0.0.1:8080" }]);
    expect(rights("http://[::1]/")).toEqual([{ resource: "http", verb: "connect", name: "[::1]:80" }]);
  });

  test("that the operator cannot have meant refuses to start", () => {
    expect(() => http({ allow: ["http://127.0.0.1"] })).toThrow("http: allow:");
  });
});
