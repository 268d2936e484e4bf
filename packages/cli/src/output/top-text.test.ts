// A node's numbers on a screen: rates between two looks, since its start where there is one, and nothing of a server's that moves
// the cursor.

import { expect, test } from "bun:test";
import { bytes, type Sample, span, topText } from "./top-text.ts";

const sample = (over: Partial<Sample> = {}): Sample => ({
  at: 10_000,
  node: { id: "n-1", name: "berlin", version: "0.1.0", uptime: 100 },
  messages: [
    { name: "action.perform", kind: "command", verdicts: { done: 900, REFUSED: 100 } },
    { name: "log.head", kind: "query", verdicts: { done: 5 } },
    { name: "log.list", kind: "query", verdicts: {} },
  ],
  decisions: { count: 1005, p50: 21e-6, p99: 130e-6 },
  effects: { running: 2, waiting: 1, kinds: [{ outcomes: { done: 800, failed: 3 } }] },
  sessions: { open: 4, breaches: 0, refusedCredentials: 2 },
  log: {
    durable: 1200,
    groups: 100,
    entries: 1000,
    appendP99: 0.0031,
    bytes: 12_400_000,
    walBytes: 100_000,
    damaged: false,
  },
  process: { cpu: 35, rss: 120e6, heap: 40e6, loopDelayP99: 0.0012, loopDelayMax: 0.008 },
  ...over,
});

test("one look is told as rates since the node began", () => {
  expect(topText(sample(), undefined, [], "http://x")).toBe(
    `n-1  berlin  0.1.0   up 1 min 40 s   http://x   rates since it began
messages  10/s  done 9.1/s, other 1.0/s
          decided in 21 µs, p99 130 µs
effects   2 running, 1 waiting   done 8.0/s, failed 0.03/s
log       1,200 entries, 12.5 MB
          groups 1.0/s of 10.0 entries, append p99 3.1 ms
process   CPU 35 %, memory 120.0 MB, heap 40.0 MB
          loop delay p99 1.2 ms, longest 8.0 ms
sessions  4 open, 0 over budget, 2 credentials refused

message         kind     a second  done  other
action.perform  command  10/s      900   100
log.head        query    0.05/s    5
`,
  );
});

test("two looks are told as what was between them; a node that was started anew begins anew", () => {
  const later = sample({
    at: 12_000,
    node: { id: "n-1", name: "berlin", version: "0.1.0", uptime: 102 },
    messages: [{ name: "action.perform", kind: "command", verdicts: { done: 3100, REFUSED: 100 } }],
    process: { ...sample().process, cpu: 36 },
  });
  const text = topText(later, sample(), [], "http://x");
  expect(text).toContain("action.perform  command  1,100/s   3,100  100");
  expect(text).toContain("CPU 50 %");
  expect(text).not.toContain("since it began");
  expect(topText(sample(), later, [], "http://x")).toContain("since it began");
});

test("subscriptions are told by how far they are behind, and what is hostile stays in its row", () => {
  const evil = "a\u001b[2J\r\n\u202eb";
  const text = topText(
    sample({ node: { id: "n-1", name: evil, version: evil, uptime: 1 }, messages: [] }),
    undefined,
    [
      { id: "s-1", topic: "action.greet", receiver: "mail", lag: 3, state: "running" },
      { id: "s-2", topic: evil, lag: 12_000 },
    ],
    "http://x",
  );
  expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  const rows = text.split("\n");
  expect(rows.at(-3)).toMatch(/^s-2 .* 12,000$/);
  expect(rows.at(-2)).toMatch(/^s-1 +action\.greet +mail +3 +running$/);
});

test("a damaged log is told", () => {
  expect(topText(sample({ log: { ...sample().log, damaged: true } }), undefined, [], "u")).toContain("DAMAGED");
});

test("sizes and spans", () => {
  expect([0, 999, 1000, 12_400_000, 5e15].map(bytes)).toEqual(["0 B", "999 B", "1.0 kB", "12.4 MB", "5000.0 TB"]);
  expect([0, 21e-6, 0.0031, 1.25].map(span)).toEqual(["0 µs", "21 µs", "3.1 ms", "1.3 s"]);
});
