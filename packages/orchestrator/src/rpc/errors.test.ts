import { describe, expect, test } from "bun:test";
import { newHttpBatchRpcSession, RpcSession, RpcTarget } from "capnweb";
import { FaultError } from "../fault/fault.ts";
import { encodeFault, onSendError } from "./errors.ts";

const SECRET = "hunter2";

class Main extends RpcTarget {
  private hidden = SECRET;
  get hiddenLength() {
    return this.hidden.length;
  }
  fails(kind: string): unknown {
    if (kind === "fault") {
      const error = new FaultError({ code: "MESSAGE_INVALID", message: "bad", details: { path: "a" }, id: "01J" });
      throw Object.assign(error, { internal: SECRET, cause: new Error(SECRET) });
    }
    if (kind === "bug") throw Object.assign(new Error(`at /home/${SECRET}`), { code: "EACCES", path: SECRET });
    if (kind === "engine") return (undefined as any).nope;
    throw { not: "an error", secret: SECRET };
  }
}

/** What stock capnweb sends for these frames under our onSendError, and what was reported. */
async function replies(...frames: unknown[][]) {
  const queue = frames.map((frame) => JSON.stringify(frame));
  const sent: any[] = [];
  const reported: unknown[] = [];
  const over = Promise.withResolvers<void>();
  const received = Promise.withResolvers<void>();
  const session = new RpcSession(
    {
      send: (message: string) => void sent.push(JSON.parse(message)),
      receive: () => {
        if (queue.length > 0) return Promise.resolve(queue.shift() as string);
        received.resolve();
        return new Promise<string>(() => {});
      },
      abort: () => over.resolve(),
    },
    new Main(),
    { onSendError: (error) => onSendError(error, (original) => reported.push(original)) },
  );
  await Promise.race([over.promise, received.promise.then(() => session.drain())]);
  return { sent, reported };
}

const call = (path: string[], ...args: unknown[]) => [
  ["push", ["pipeline", 0, path, args]],
  ["pull", 1],
];

describe("what crosses", () => {
  test("of a fault: code, message, details and id, no stack", async () => {
    const { sent, reported } = await replies(...call(["fails"], "fault"));
    expect(sent).toEqual([
      ["reject", 1, ["error", "Error", "bad", null, { code: "MESSAGE_INVALID", details: { path: "a" }, id: "01J" }]],
    ]);
    expect(reported).toEqual([]);
  });

  test.each(["bug", "engine"])("of a %s: nothing, and the original is reported", async (kind) => {
    const { sent, reported } = await replies(...call(["fails"], kind));
    expect(sent[0][2]).toEqual(encodeFault("INTERNAL", expect.any(String) as any));
    expect(JSON.stringify(sent)).not.toContain(SECRET);
    expect(reported).toHaveLength(1);
  });

  test.each([
    [["nope"], "scope has no nope"],
    [["fails", "nope"], "scope has no fails.nope"],
    [["hiddenLength"], "scope has no hiddenLength"],
    [["hidden"], "scope has no hidden"],
    [["nope", "list"], "scope has no such resource or verb"],
    [["<b>\n"], "scope has no such resource or verb"],
    [["constructor"], "scope has no constructor"],
  ])("of an unknown method %p: MESSAGE_UNKNOWN", async (path, message) => {
    const { sent, reported } = await replies(...call(path));
    expect(sent[0][2]).toEqual(encodeFault("MESSAGE_UNKNOWN", message));
    expect(reported).toEqual([]);
  });

  test.each([
    [["pull", 99]],
    [["release", 99, 1]],
    [["push", ["pipeline", 99, ["f"], []]]],
    [["nonsense"]],
    [["push", ["nonsense", SECRET]]],
  ])("of a frame that does not fit, %p: FRAME_INVALID", async (frame) => {
    const { sent, reported } = await replies(frame);
    expect(sent).toEqual([["abort", encodeFault("FRAME_INVALID", expect.any(String) as any)]]);
    expect(reported).toEqual([]);
  });
});

test("capnweb's clients read our encoding of a fault as an error with its code", async () => {
  using server = Bun.serve({
    port: 0,
    fetch: () => new Response(JSON.stringify(["reject", 1, encodeFault("LOG_UNAVAILABLE", "later")])),
  });
  const main: any = newHttpBatchRpcSession(server.url.href);
  const error = await main.f().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ message: "later", code: "LOG_UNAVAILABLE" });
});
