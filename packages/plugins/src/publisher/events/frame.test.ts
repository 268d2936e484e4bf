import { expect, test } from "bun:test";
import type { Publication } from "../publication.ts";
import { cloudEvent } from "./cloud-event.ts";
import { ending, framesOf, heartbeat, opening } from "./frame.ts";

const publication = (data: unknown, parts: Partial<Publication> = {}): Publication => ({
  ...{ topic: "action.greet", cursor: "7.l-1", id: "m-1", at: Date.UTC(2026, 2, 1), data, ...parts },
});

test("a publication is one event: its cursor, its topic, itself", () => {
  expect(framesOf([publication("hi")], (one) => one)).toBe(
    'id: 7.l-1\nevent: action.greet\ndata: {"topic":"action.greet","cursor":"7.l-1","id":"m-1","at":1772323200000,"data":"hi"}\n\n',
  );
});

test("nothing that is published can end a line, begin another field or another event", () => {
  const nasty = "a\r\n\r\nevent: fake\rdata: x\nid: 999\u2028\u0085\0";
  const text = framesOf([publication({ [nasty]: nasty }, { topic: `action.${nasty}` })], (one) => one);
  const lines = text.split(/\r\n|\r|\n/);
  expect(lines.filter((line) => line.startsWith("id:"))).toEqual(["id: 7.l-1"]);
  expect(lines.filter((line) => line.startsWith("data:"))).toHaveLength(1);
  expect(lines.slice(-2)).toEqual(["", ""]);
  expect(lines.filter((line) => line === "")).toHaveLength(2 + 1 - 1);
});

test("of what stands in one entry, only the last tells the cursor: whoever resumes from it has all of it", () => {
  const text = framesOf([publication(1), publication(2), publication(3, { cursor: "8.l-1" })], ({ data }) => ({
    data,
  }));
  expect(text).toBe(
    'event: action.greet\ndata: {"data":1}\n\nid: 7.l-1\nevent: action.greet\ndata: {"data":2}\n\nid: 8.l-1\nevent: action.greet\ndata: {"data":3}\n\n',
  );
});

test("the opening, the heartbeat and the end are events without data, but the last", () => {
  expect(opening("7.l-1", 3000)).toBe("retry: 3000\nid: 7.l-1\n\n");
  expect(opening(undefined, 3000)).toBe("retry: 3000\n\n");
  expect(heartbeat("7.l-1")).toBe(":\nid: 7.l-1\n\n");
  expect(ending({ code: "STOPPING" })).toBe('event: error\ndata: {"code":"STOPPING"}\n\n');
});

test("a CloudEvent has what CloudEvents 1.0 requires, and nothing that it forbids", () => {
  const event = cloudEvent(publication({ a: 1 }, { action: "greet", principal: "ada", correlation: "c-1" }), "n 1");
  expect(event).toEqual({
    ...{ specversion: "1.0", id: "m-1", source: "/nodes/n%201", type: "action.greet", subject: "greet" },
    ...{ time: "2026-03-01T00:00:00.000Z", datacontenttype: "application/json", data: { a: 1 } },
    ...{ cursor: "7.l-1", principal: "ada", correlation: "c-1" },
  });
  for (const name of Object.keys(event)) expect(name).toMatch(/^[a-z0-9]{1,20}$/);
  expect(Object.keys(cloudEvent(publication(null), "n-1"))).not.toContain("subject");
});
