import { expect, test } from "bun:test";
import { readBody } from "./body.ts";

function inPieces(bytes: Uint8Array, size: number): Request {
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
    },
  });
  return new Request("http://node/", { method: "POST", body });
}

const text = "grüße 😀 ".repeat(100);
const bytes = new TextEncoder().encode(text);

test.each([1, 2, 3, 1000, 100_000])("a body that comes in pieces of %p bytes is what was sent", async (size) => {
  expect(await readBody(inPieces(bytes, size), bytes.length)).toBe(text);
  expect(await readBody(inPieces(bytes, size), bytes.length - 1)).toMatchObject({ code: "TOO_LARGE" });
});

test("a body byte by byte is held as bytes", async () => {
  const many = new Uint8Array(500_000).fill(97);
  Bun.gc(true);
  const before = process.memoryUsage().heapUsed;
  let most = 0;
  const signal = new AbortController().signal;
  let seen = 0;
  const keep = () => {
    // Whatever is only on its way is gone by then; what is kept of each byte is not.
    if (++seen % 100_000 === 0) {
      Bun.gc(true);
      most = Math.max(most, process.memoryUsage().heapUsed - before);
    }
    return undefined;
  };
  expect(await readBody(inPieces(many, 1), many.length, { keep, signal })).toHaveLength(many.length);
  expect(most).toBeLessThan(many.length * 20);
});

test("nothing, and what is no UTF-8", async () => {
  expect(await readBody(new Request("http://node/", { method: "POST" }), 10)).toBe("");
  expect(await readBody(inPieces(new Uint8Array([0xff]), 1), 10)).toMatchObject({ code: "FRAME_INVALID" });
});
