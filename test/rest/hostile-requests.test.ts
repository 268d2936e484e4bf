// Requests that no client of anybody's sends: what they are answered says nothing of the node's inside, and leaves nothing behind.

import { afterEach, expect, test } from "bun:test";
import { startNode, stopNodes } from "../wire/node.ts";
import { askRaw } from "./asking.ts";

afterEach(stopNodes);

test.each([
  ["GET /healthz HTTP/1.0\r\n\r\n"],
  ["GET /v1/action/list HTTP/1.1\r\nHost: 127.0.0.1:1/@x\r\nConnection: close\r\n\r\n"],
  ["GET /rpc HTTP/1.1\r\nHost: [\r\nUpgrade: websocket\r\nConnection: close\r\n\r\n"],
  ["GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n"],
  ["GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n"],
])("%p has no host, and is told that alone", async (request) => {
  const node = await startNode();
  const { status, text } = await askRaw(node.url, request.replace("HTTP/1.0\r\n", "HTTP/1.0\r\nConnection: close\r\n"));
  expect([400, 403]).toContain(status);
  expect(text.length).toBeLessThan(500);
  expect(text).not.toMatch(/html|\.ts|stack/);
  expect(node.lines.filter((line) => line.includes("an answer failed"))).toEqual([]);
});
