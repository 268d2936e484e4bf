import { expect, test } from "bun:test";
import { FaultError, fault } from "@capstan/orchestrator";
import type { Publication } from "../publication.ts";
import { type EventStreamOptions, eventStream, type Page } from "./event-stream.ts";

const item = (entry: number): Publication => ({
  topic: "action.a",
  cursor: `${entry}.l-1`,
  id: `m-${entry}`,
  at: 0,
  data: entry,
});
const page = (from: number, to: number): Page => ({
  items: Array.from({ length: to - from + 1 }, (_, i) => item(from + i)),
  next: `${to}.l-1`,
});
const nothing = (at: number): Page => ({ items: [], next: `${at}.l-1` });

/** What each read is answered, in order; the last one for ever. */
function streamOf(answers: readonly (() => Page | Promise<Page>)[], first: Page = nothing(0)) {
  const asked: [after: string, limit: number, wait: number][] = [];
  const stopping = new AbortController();
  const ends: string[] = [];
  const errors: string[] = [];
  const options: EventStreamOptions = {
    first,
    async read(...one) {
      asked.push(one);
      const answer = answers[Math.min(asked.length, answers.length) - 1];
      if (answer === undefined) return new Promise(() => {});
      return answer();
    },
    dataOf: ({ data }) => ({ data }),
    context: {
      stopping: stopping.signal,
      problem: ({ code, message }) => ({ type: "", title: "", status: 1, detail: message, code, retryable: false }),
      log: { debug() {}, info() {}, warn() {}, error: (_, text) => void errors.push(text) },
    },
    over: () => void ends.push("over"),
    unread: () => void ends.push("unread"),
  };
  const reader = eventStream(options).getReader();
  const decoder = new TextDecoder();
  const next = async (): Promise<string | undefined> => {
    const { value, done } = await reader.read();
    return done ? undefined : decoder.decode(value);
  };
  return { asked, stopping, ends, errors, reader, next };
}

test("it opens with where the reader is, or with what there is already", async () => {
  expect(await streamOf([]).next()).toBe("retry: 3000\nid: 0.l-1\n\n");
  expect(await streamOf([], page(1, 1)).next()).toBe('retry: 3000\n\nid: 1.l-1\nevent: action.a\ndata: {"data":1}\n\n');
});

test("pages follow one another; where there is nothing it waits, and what ended the wait is read again", async () => {
  const { next, asked } = streamOf([
    () => page(1, 2),
    () => nothing(2),
    () => page(3, 3),
    () => page(3, 4),
    () => nothing(4),
    () => nothing(9),
    () => new Promise<Page>(() => {}),
  ]);
  await next();
  expect(await next()).toContain('"data":2');
  expect(await next()).toBe(
    'id: 3.l-1\nevent: action.a\ndata: {"data":3}\n\nid: 4.l-1\nevent: action.a\ndata: {"data":4}\n\n',
  );
  expect(await next()).toBe(":\nid: 9.l-1\n\n");
  expect(asked.slice(0, 6)).toEqual([
    ["0.l-1", 100, 0],
    ["2.l-1", 100, 0],
    ["2.l-1", 1, 15_000],
    ["2.l-1", 100, 0],
    ["4.l-1", 100, 0],
    ["4.l-1", 1, 15_000],
  ]);
});

test("nothing is read for a reader who does not read", async () => {
  const { asked, next } = streamOf([() => page(1, 100)]);
  await next();
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(asked.length).toBeLessThanOrEqual(1);
});

test("a grant that is revoked ends it with the problem, and what was waited for then is not sent", async () => {
  const refused = (): never => {
    throw new FaultError(fault("GRANT_REVOKED", "it was revoked"));
  };
  const { next, ends } = streamOf([() => nothing(0), () => page(1, 1), refused]);
  await next();
  expect(await next()).toMatch(/^event: error\ndata: \{.*"code":"GRANT_REVOKED".*\}\n\n$/);
  expect(await next()).toBeUndefined();
  expect(ends).toEqual(["over", "unread"]);
});

test("what is no fault is logged, and the reader learns nothing of it", async () => {
  const { next, errors } = streamOf([
    () => {
      throw new Error("inside");
    },
  ]);
  await next();
  const last = await next();
  expect(last).toContain('"code":"INTERNAL"');
  expect(last).not.toContain("inside");
  expect(errors).toEqual(["a stream of events failed"]);
});

test("it ends with the node at once, while it waits or while nobody reads, though something is read for it still", async () => {
  const waited = Promise.withResolvers<Page>();
  const { next, stopping, ends } = streamOf([() => nothing(0), () => waited.promise]);
  await next();
  const last = next();
  await new Promise((resolve) => setImmediate(resolve));
  stopping.abort();
  expect(await last).toContain('"code":"STOPPING"');
  expect(await next()).toBeUndefined();
  expect(ends).toEqual(["over"]);
  waited.resolve(page(1, 1));
  await new Promise((resolve) => setImmediate(resolve));
  expect(ends).toEqual(["over", "unread"]);
});

test("a reader who leaves is done with", async () => {
  const { next, reader, ends } = streamOf([() => page(1, 1)]);
  await next();
  await reader.cancel();
  await new Promise((resolve) => setImmediate(resolve));
  expect(ends).toEqual(["over", "unread"]);
});

test("a reader who leaves while it waits is done with at once", async () => {
  const waited = Promise.withResolvers<Page>();
  const { next, reader, ends } = streamOf([() => nothing(0), () => waited.promise]);
  await next();
  void next();
  await new Promise((resolve) => setImmediate(resolve));
  await reader.cancel();
  expect(ends).toEqual(["over"]);
  waited.resolve(nothing(0));
  await new Promise((resolve) => setImmediate(resolve));
  expect(ends).toEqual(["over", "unread"]);
});

test("what was read on entries that were undone is not told, and is read again", async () => {
  const { next } = streamOf([
    () => {
      throw new FaultError(fault("LOG_UNAVAILABLE", "nothing was done"));
    },
    () => page(1, 1),
  ]);
  await next();
  expect(await next()).toContain('"data":1');
});
