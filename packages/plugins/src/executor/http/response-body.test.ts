import { afterAll, describe, expect, test } from "bun:test";
import { createServer, type Server, type Socket } from "node:net";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { faultFrom, perform } from "../template/call.fixture.ts";
import { http } from "./http.ts";

const local = http({ allow: ["127.0.0.1"] });
const servers: { stop(): unknown }[] = [];
afterAll(() => Promise.all(servers.map((server) => server.stop())));

function serve(fetch: () => Response): string {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch });
  servers.push({ stop: () => server.stop(true) });
  return `http://127.0.0.1:${server.port}/`;
}

/** A server that answers what it likes. */
async function raw(answer: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push({
    stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
}

function encoded(body: Uint8Array<ArrayBufferLike>, encoding: string): string {
  return serve(() => new Response(body as Uint8Array<ArrayBuffer>, { headers: { "content-encoding": encoding } }));
}

describe("a body", () => {
  const text = Buffer.from(JSON.stringify("x".repeat(1000)));
  test.each([
    ["gzip", gzipSync(text)],
    ["X-GZip", gzipSync(text)],
    ["deflate", deflateSync(text)],
    ["deflate", deflateRawSync(text)],
    ["br", brotliCompressSync(text)],
    ["zstd", zstdCompressSync(text)],
    ["identity", text],
  ])("encoded as %s is decoded", async (encoding, body) => {
    expect(await perform(local, { url: encoded(body, encoding) })).toBe("x".repeat(1000));
  });

  test.each([
    ["gzip", gzipSync(text).subarray(0, 20)],
    ["br", Buffer.from("no brotli")],
    ["compress", text],
    ["gzip, gzip", gzipSync(gzipSync(text))],
  ])("said to be %s that cannot be decoded is a fault", async (encoding, body) => {
    const fault = await faultFrom(() => perform(local, { url: encoded(body, encoding) }));
    expect(fault.code).toBe("HTTP_RESPONSE_INVALID");
  });

  const zeros = Buffer.alloc(64 * 1024 * 1024);
  test.each([
    ["gzip", gzipSync(zeros)],
    ["deflate", deflateRawSync(zeros)],
    ["br", brotliCompressSync(zeros.subarray(0, 16 * 1024 * 1024))],
    ["zstd", zstdCompressSync(zeros)],
  ])("that is small as %s and large without is bounded after it", async (encoding, body) => {
    expect(body.length).toBeLessThan(1024 * 1024);
    const fault = await faultFrom(() => perform(local, { url: encoded(body, encoding), response: "text" }));
    expect(fault.code).toBe("HTTP_RESPONSE_TOO_LARGE");
    const failing = serve(
      () => new Response(body as Uint8Array<ArrayBuffer>, { status: 400, headers: { "content-encoding": encoding } }),
    );
    expect((await faultFrom(() => perform(local, { url: failing }))).code).toBe("HTTP_STATUS");
  });

  test("of exactly maxBytes is taken, of one more it is not", async () => {
    const url = serve(() => new Response("x".repeat(1000)));
    expect(await perform(local, { url, response: "text", maxBytes: 1000 })).toHaveLength(1000);
    const fault = await faultFrom(() => perform(local, { url, response: "text", maxBytes: 999 }));
    expect(fault).toMatchObject({ code: "HTTP_RESPONSE_TOO_LARGE", message: expect.stringContaining("999") });
  });

  test("that HEAD only tells the length of may be of any", async () => {
    const url = serve(() => new Response("x".repeat(1000)));
    const configuration = { url, method: "HEAD", maxBytes: 10, answer: "response" };
    expect(await perform(local, configuration)).toMatchObject({ status: 200, body: null });
  });

  test("without an end is given up once it is over, and its sender is cut off", async () => {
    const closed = Promise.withResolvers<void>();
    const url = await raw((socket) => {
      socket.on("close", () => closed.resolve());
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      const write = () => {
        while (!socket.destroyed && socket.write(`1000\r\n${"x".repeat(0x1000)}\r\n`));
        if (!socket.destroyed) socket.once("drain", write);
      };
      write();
    });
    const fault = await faultFrom(() => perform(local, { url, maxBytes: 100_000 }));
    expect(fault.code).toBe("HTTP_RESPONSE_TOO_LARGE");
    await closed.promise;
  });

  test("that never comes is let go when the call is aborted, and so is its connection", async () => {
    const closed = Promise.withResolvers<void>();
    const began = Promise.withResolvers<void>();
    const url = await raw((socket) => {
      socket.on("close", () => closed.resolve());
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", () => began.resolve());
    });
    const abort = new AbortController();
    const performed = perform(local, { url, response: "text" }, { signal: abort.signal });
    await began.promise;
    abort.abort(new Error("the deadline"));
    await expect(performed).rejects.toThrow("the deadline");
    await closed.promise;
  });
});

test("a service that takes the request and says nothing is let go when the call is aborted", async () => {
  const abort = new AbortController();
  const url = await raw(() => abort.abort(new Error("the deadline")));
  await expect(perform(local, { url }, { signal: abort.signal })).rejects.toThrow("the deadline");
  await expect(perform(local, { url }, { signal: abort.signal })).rejects.toThrow("the deadline");
});

describe("what is no HTTP", () => {
  test.each([
    ["another protocol", "SSH-2.0-OpenSSH\r\n\r\n", "HTTP_RESPONSE_INVALID"],
    ["an upgrade", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "HTTP_RESPONSE_INVALID"],
    ["an end at once", "", "HTTP_UNREACHABLE"],
    ["half a body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1", "HTTP_UNREACHABLE"],
    ["a header that never ends", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(4 * 1024 * 1024)}`, "HTTP_RESPONSE_INVALID"],
  ])("is a fault: %s", async (_, bytes, code) => {
    const url = await raw((socket) => socket.end(bytes));
    const fault = await faultFrom(() => perform(local, { url }));
    expect(fault.code).toBe(code);
    expect(fault.message).toStartWith(`it: ${url}`);
  });

  test("does not make a request that changes something be sent twice", async () => {
    let requests = 0;
    const url = await raw((socket) => {
      requests++;
      socket.destroy();
    });
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      requests = 0;
      expect((await faultFrom(() => perform(local, { url, method }))).code).toBe("HTTP_UNREACHABLE");
      expect(requests).toBe(1);
    }
  });
});
