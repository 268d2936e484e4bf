import { expect, test } from "bun:test";
import fc from "fast-check";
import { type FaultError, fault } from "../../fault/fault.ts";
import { FrameQueue, FrameReader, HEARTBEAT } from "./framing.ts";

function reader() {
  const frames: string[] = [];
  const arriving: number[] = [];
  const read = new FrameReader({
    arriving: (bytes) => void arriving.push(bytes),
    received: (frame) => void frames.push(frame),
    goodbye: (code, reason) => void frames.push(`${code} ${reason}`),
  });
  return { read, frames, arriving };
}

test("frames come out as they went in, whatever the pieces, and heartbeats do not", () => {
  const texts = fc.array(fc.oneof(fc.string({ unit: "binary", minLength: 1 }), fc.constant(HEARTBEAT)));
  fc.assert(
    fc.property(texts, fc.array(fc.integer({ min: 1, max: 40 })), (sent, sizes) => {
      const queue = new FrameQueue();
      for (const text of sent) queue.push(text);
      const { read, frames, arriving } = reader();
      for (let i = 0; queue.bytes > 0; i++) read.read(queue.take(sizes[i % Math.max(1, sizes.length)] ?? 1_000));
      const there = sent.filter((text) => text !== HEARTBEAT);
      // What is no well-formed text becomes well-formed on its way out.
      expect(frames).toEqual(there.map((text) => text.toWellFormed()));
      expect(arriving).toEqual(there.map((text) => Buffer.byteLength(text)));
    }),
    { seed: 7, numRuns: 100 },
  );
});

test("nothing of a frame is kept that is not to be waited for", () => {
  const refused = fault("SESSION_BUDGET", "too large");
  const read = new FrameReader({
    arriving() {
      throw refused;
    },
    received() {},
    goodbye() {},
  });
  expect(() => read.read([0x7f, 0, 0, 0, 1, 2])).toThrow(refused.message);
});

test.each([
  ["a lone continuation", [0x80]],
  ["a cut letter", [0xe8, 0xaa]],
  ["an overlong slash", [0xc0, 0xaf]],
  ["a surrogate", [0xed, 0xa0, 0x80]],
])("%s is no frame", (_, bytes) => {
  let thrown: unknown;
  try {
    reader().read.read([0, 0, 0, bytes.length, ...bytes]);
  } catch (error) {
    thrown = error;
  }
  expect((thrown as FaultError).code).toBe("FRAME_INVALID");
});

test("a goodbye has a code and a reason, and is no longer than a WebSocket's", () => {
  const queue = new FrameQueue();
  queue.push("[]");
  queue.pushGoodbye(1001, "STOPPING");
  const { read, frames } = reader();
  read.read(queue.take(queue.bytes));
  queue.pushGoodbye(1008, "x".repeat(200));
  read.read(queue.take(queue.bytes));
  expect(frames).toEqual(["[]", "1001 STOPPING", `1008 ${"x".repeat(123)}`]);
  for (const head of [0x80_00_00_00, 0x80_00_00_01, 0x80_00_00_7e, 0xff_ff_ff_ff]) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(head);
    expect(() => reader().read.read(bytes)).toThrow("a goodbye is a code and a reason");
  }
});

test("a byte order mark is a letter like others", () => {
  const { read, frames } = reader();
  read.read([0, 0, 0, 5, 0xef, 0xbb, 0xbf, 0x5b, 0x5d]);
  expect(frames).toEqual(["\ufeff[]"]);
});
