import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Protocol } from "../protocol.ts";
import { callOf, faultFrom, perform } from "../template/call.fixture.ts";
import { certificateFor } from "./certificate.fixture.ts";
import { http } from "./http.ts";

const servers: Bun.Server<undefined>[] = [];
afterAll(() => Promise.all(servers.map((server) => server.stop(true))));

function serve(
  fetch: (request: Request) => Response,
  hostname = "127.0.0.1",
  tls?: { cert: string; key: string },
): number {
  const server = Bun.serve({ hostname, port: 0, fetch, ...(tls === undefined ? {} : { tls }) });
  servers.push(server);
  return server.port as number;
}

/** A protocol to which the names given are at loopback. */
function named(names: Readonly<Record<string, readonly string[]>>, more: object = {}): Protocol {
  const resolve = async (name: string) =>
    names[name] ?? Promise.reject(Object.assign(new Error(), { code: "ENOTFOUND" }));
  return http({ allow: ["127.0.0.1:*", ...Object.keys(names)], resolve, ...more });
}

function probe(protocol: Protocol, configuration: object) {
  return protocol.testConnection?.(callOf(protocol, configuration).configuration, new AbortController().signal);
}

describe("a request", () => {
  test("goes to the address that was judged, whatever the name is a moment later", async () => {
    const good = serve((request) => new Response(request.headers.get("host")));
    const evil = serve(() => new Response("evil"), "127.0.0.2");
    let asked = 0;
    const resolve = async () => (asked++ === 0 ? ["127.0.0.1"] : ["127.0.0.2"]);
    const protocol = http({ allow: ["rebind.test"], resolve });
    const url = `http://rebind.test:${good}/`;
    expect(evil).toBeGreaterThan(0);
    expect(await perform(protocol, { url, response: "text" })).toBe(`rebind.test:${good}`);
    expect(asked).toBe(1);
  });

  test("asks the resolver anew each time, and judges anew", async () => {
    const port = serve(() => new Response("1"));
    let asked = 0;
    const resolve = async () => (asked++ === 0 ? ["127.0.0.1"] : ["169.254.169.254"]);
    const protocol = http({ allow: ["rebind.test"], resolve });
    const url = `http://rebind.test:${port}/`;
    expect(await perform(protocol, { url })).toBe(1);
    expect((await faultFrom(() => perform(protocol, { url }))).code).toBe("HTTP_ADDRESS_REFUSED");
  });

  test("without a list reaches nothing of this machine", async () => {
    let hits = 0;
    const port = serve(() => new Response(`${hits++}`));
    for (const host of ["127.0.0.1", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]"]) {
      const protocol = http();
      const registered = await faultFrom(() => callOf(protocol, { url: `http://${host}:${port}/` }));
      expect(registered.code).toBe("HTTP_ADDRESS_REFUSED");
    }
    for (const host of ["localhost", "localhost.", "LOCALHOST"]) {
      const fault = await faultFrom(() => perform(http(), { url: `http://${host}:${port}/` }));
      expect(fault.code).toBe("HTTP_ADDRESS_REFUSED");
    }
    expect(hits).toBe(0);
    expect(await perform(http({ allow: ["localhost:*"] }), { url: `http://localhost:${port}/` })).toBe(0);
    expect(await perform(http({ allow: ["127.0.0.1"] }), { url: `http://[::ffff:127.0.0.1]:${port}/` })).toBe(1);
  });

  test("tries the next address where nothing answers at one", async () => {
    const port = serve(() => new Response("2"));
    const protocol = named({ "two.test": ["127.0.0.3", "127.0.0.1"] });
    expect(await perform(protocol, { url: `http://two.test:${port}/` })).toBe(2);
    expect(await probe(protocol, { url: `http://two.test:${port}/` })).toBeUndefined();
  });

  test("uses no proxy of the environment", async () => {
    let hits = 0;
    const proxy = serve(() => new Response(`${hits++}`));
    const port = serve(() => new Response('"direct"'));
    const before = process.env.http_proxy;
    process.env.http_proxy = `http://127.0.0.1:${proxy}`;
    try {
      const protocol = named({ "direct.test": ["127.0.0.1"] });
      expect(await perform(protocol, { url: `http://direct.test:${port}/` })).toBe("direct");
      expect(hits).toBe(0);
    } finally {
      if (before === undefined) delete process.env.http_proxy;
      else process.env.http_proxy = before;
    }
  });

  test("to what does not answer is unreachable, and testConnection says so", async () => {
    const port = serve(() => new Response());
    await servers.pop()?.stop(true);
    const protocol = named({ "gone.test": ["127.0.0.1"] });
    const url = `http://gone.test:${port}/x`;
    const fault = await faultFrom(() => perform(protocol, { url }));
    expect(fault).toMatchObject({ code: "HTTP_UNREACHABLE", message: `it: ${url}: nothing answers (ECONNREFUSED)` });
    expect((await probe(protocol, { url }))?.code).toBe("HTTP_UNREACHABLE");
    expect((await probe(protocol, { url: "http://unknown.test/" }))?.code).toBe("HTTP_UNREACHABLE");
    expect((await probe(http(), { url: "http://localhost/" }))?.code).toBe("HTTP_ADDRESS_REFUSED");
  });
});

describe("over TLS", () => {
  const tls = certificateFor("a.test");

  test("a request asks for the URL's name, and takes a certificate for that name alone", async () => {
    const port = serve((request) => new Response(request.headers.get("host")), "127.0.0.1", tls);
    const protocol = named({ "a.test": ["127.0.0.1"], "b.test": ["127.0.0.1"] }, { ca: [tls.cert] });
    const at = (name: string) => ({ url: `https://${name}:${port}/`, response: "text" });
    expect(await perform(protocol, at("a.test"))).toBe(`a.test:${port}`);
    expect(await probe(protocol, at("a.test"))).toBeUndefined();
    // The second time there is a connection that could be reused, by address.
    for (const name of ["b.test", "127.0.0.1", "b.test"]) {
      const fault = await faultFrom(() => perform(protocol, at(name)));
      expect(fault.message).toContain("its certificate is not to be trusted");
      expect(await probe(protocol, at(name))).toMatchObject({ code: "HTTP_UNREACHABLE" });
    }
    expect(await perform(protocol, at("a.test."))).toBe(`a.test:${port}`);
  });

  test("a service that speaks none is unreachable", async () => {
    const port = serve(() => new Response("x"));
    const protocol = named({ "a.test": ["127.0.0.1"] });
    const configuration = { url: `https://a.test:${port}/` };
    const expected = { code: "HTTP_UNREACHABLE", message: expect.stringContaining("TLS could not be agreed on") };
    expect(await faultFrom(() => perform(protocol, configuration))).toMatchObject(expected);
    expect(await probe(protocol, configuration)).toMatchObject(expected);
  });

  test("a certificate that nobody vouches for is refused, whatever the environment says", async () => {
    const port = serve(() => new Response("x"), "127.0.0.1", tls);
    const protocol = named({ "a.test": ["127.0.0.1"] });
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    try {
      const configuration = { url: `https://a.test:${port}/`, response: "text" };
      const fault = await faultFrom(() => perform(protocol, configuration));
      expect(fault.message).toContain("its certificate is not to be trusted");
      expect(await probe(protocol, configuration)).toMatchObject({ code: "HTTP_UNREACHABLE" });
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
  });
});

describe("a redirect", () => {
  const seen: { method: string; authorization: string | null; type: string | null }[] = [];
  let port: number;
  let other: number;
  const protocol = http({
    allow: ["127.0.0.1:*", "other.test"],
    resolve: async (name) => (name === "public.test" ? ["1.1.1.1"] : ["127.0.0.1"]),
  });
  beforeAll(() => {
    const answer = (request: Request) => {
      const { method, headers } = request;
      seen.push({ method, authorization: headers.get("authorization"), type: headers.get("content-type") });
      const { searchParams, pathname } = new URL(request.url);
      const to = searchParams.get("to");
      if (to === null) return new Response(JSON.stringify(pathname));
      const status = Number(searchParams.get("status") ?? 302);
      return new Response(null, { status, headers: { location: to } });
    };
    port = serve(answer);
    other = serve(answer);
  });
  const url = (to: string, status = 302) => `http://127.0.0.1:${port}/?status=${status}&to=${encodeURIComponent(to)}`;

  test("is refused, unless the configuration allows that many", async () => {
    const to = url(url("/end"));
    const refused = async (redirects?: number) => faultFrom(() => perform(protocol, { url: to, redirects }));
    expect(await refused()).toMatchObject({
      code: "HTTP_REDIRECT_REFUSED",
      message: expect.stringContaining('"redirects" is 0'),
    });
    expect((await refused(1)).code).toBe("HTTP_REDIRECT_REFUSED");
    expect(await perform(protocol, { url: to, redirects: 2 })).toBe("/end");
    const loop = `http://127.0.0.1:${port}/?to=${encodeURIComponent("?to=%3F")}`;
    expect((await faultFrom(() => perform(protocol, { url: loop, redirects: 0 }))).code).toBe("HTTP_REDIRECT_REFUSED");
  });

  test("is an answer like any other where it is expected", async () => {
    const configuration = { url: url("/end"), expect: [302], answer: "response" };
    expect(await perform(protocol, configuration)).toEqual({ status: 302, headers: { location: "/end" }, body: null });
  });

  test.each([
    "ftp://127.0.0.1/",
    "file:///etc/passwd",
    "javascript:1",
    "http://user:password@127.0.0.1/",
    "http://[::1",
  ])("to %s is refused", async (to) => {
    const fault = await faultFrom(() => perform(protocol, { url: url(to), redirects: 5 }));
    expect(fault.code).toBe("HTTP_REDIRECT_REFUSED");
  });

  test.each([
    "http://127.0.0.2/",
    "http://0x7f.1:1/",
    "http://other.test/",
    "http://169.254.169.254/",
    "http://[::1]/",
  ])("to another origin, %s, is judged without the operator's list", async (to) => {
    const fault = await faultFrom(() => perform(protocol, { url: url(to), redirects: 5 }));
    expect(fault.code).toBe("HTTP_ADDRESS_REFUSED");
  });

  test("to the same origin keeps what is sent, where its status says so", async () => {
    const follow = async (status: number, method: string) => {
      seen.length = 0;
      const configuration = { url: url("/end", status), redirects: 1, method, bearer: "token-token" };
      await perform(protocol, configuration, { input: 1 });
      return Object.values(seen.at(-1) ?? {});
    };
    expect(await follow(302, "POST")).toEqual(["GET", "Bearer token-token", null]);
    expect(await follow(303, "PUT")).toEqual(["GET", "Bearer token-token", null]);
    expect(await follow(307, "POST")).toEqual(["POST", "Bearer token-token", "application/json"]);
    expect(await follow(308, "PUT")).toEqual(["PUT", "Bearer token-token", "application/json"]);
  });

  test("hands no body to another origin", async () => {
    const configuration = { url: url(`http://127.0.0.1:${other}/`, 307), redirects: 1, method: "POST" };
    const fault = await faultFrom(() => perform(protocol, configuration));
    expect(fault).toMatchObject({ code: "HTTP_REDIRECT_REFUSED", message: expect.stringContaining("body") });
  });
});
