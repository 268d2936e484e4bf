import { expect, test } from "bun:test";
import { AnonymousBodies } from "./anonymous-bodies.ts";

/** A body that comes when the test says so. */
function slow() {
  let body: ReadableStreamDefaultController<Uint8Array> | undefined;
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      body = controller;
    },
    cancel() {
      cancelled = true;
    },
  });
  return {
    request: new Request("http://node/rpc", { method: "POST", body: stream }),
    send: (text: string) => body?.enqueue(new TextEncoder().encode(text)),
    end: () => body?.close(),
    fail: () => body?.error(new Error("gone")),
    cancelled: () => cancelled,
  };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const limits = { frameBytes: 10, inboundBytes: 16 };

test("what all of them hold is bounded, and is given back however one ends", async () => {
  const bodies = new AnonymousBodies(limits);
  const [whole, gone, over, later] = [slow(), slow(), slow(), slow()];
  const reads = [whole, gone, over].map(({ request }) => bodies.read(request));
  whole.send("12345678");
  gone.send("1234567");
  await turn();
  expect(bodies.held).toBe(15);
  over.send("12");
  expect(await reads[2]).toMatchObject({ code: "SESSION_BUDGET" });
  expect(over.cancelled()).toBe(true);
  whole.end();
  expect(await reads[0]).toBe("12345678");
  gone.fail();
  await reads[1]?.catch(() => {});
  expect(bodies.held).toBe(0);
  const read = bodies.read(later.request);
  later.send("12");
  later.end();
  expect([await read, bodies.held]).toEqual(["12", 0]);
});

test("one that does not become whole is let go", async () => {
  const bodies = new AnonymousBodies(limits, 1);
  const { request, send, cancelled } = slow();
  const read = bodies.read(request);
  send("123");
  expect(await read).toMatchObject({ code: "SESSION_BUDGET" });
  expect([bodies.held, cancelled()]).toEqual([0, true]);
});

test("one that comes byte by byte is let go, and one that comes in few pieces is not", async () => {
  const bodies = new AnonymousBodies({ frameBytes: 100_000, inboundBytes: 100_000 });
  const crumbs = slow();
  const read = bodies.read(crumbs.request);
  for (let i = 0; i < 5000; i++) crumbs.send("a");
  expect(await read).toMatchObject({ code: "SESSION_BUDGET", message: expect.stringContaining("tiny chunks") });
  const whole = slow();
  const other = bodies.read(whole.request);
  for (let i = 0; i < 4096; i++) whole.send("a");
  whole.send("b".repeat(90_000));
  whole.end();
  expect(await other).toHaveLength(94_096);
  expect(bodies.held).toBe(0);
});
