// Entries as a node writes them, without a node: about 1 kB each, in the stored form. What only a node can do for them, such
// as deciding, is not measured here.

import { createHash } from "node:crypto";
import type { NewEntry, RowChange } from "@capstan/orchestrator";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; // Crockford base32, as ids are made of
const START = Date.UTC(2026, 10, 1);
/** Entries within a millisecond, as at 64,000 a second. */
const A_MILLISECOND = 64;
const HOT_ROWS = 1000;

/** Entries by number, always the same. */
export function entriesFrom(first: number, count: number, withRows: boolean): NewEntry[] {
  return Array.from({ length: count }, (_, i) => entryOf(first + i, withRows));
}

function entryOf(n: number, withRows: boolean): NewEntry {
  const at = START + Math.floor(n / A_MILLISECOND);
  const id = `m-${base32(at, 9)}${base32(n % A_MILLISECOND, 7)}`;
  const row = {
    action: "orders.ship",
    state: "running",
    node: "n-7f3a1b2c",
    at,
    order: n,
    attempt: 1,
    digest: digest(id),
  };
  const parts = [
    line("b", {
      data: { name: "orders.ship", input: { order: n, customer: `c-${n % 997}`, lines: LINES } },
      key: `k-${n}`,
    }),
    line("r", [["execution", `x${id.slice(1)}`, row]]),
    line("t", {
      verdicts: [
        ["auth", "next"],
        ["registry", "next"],
        ["executor", "done"],
      ],
      data: { execution: `x${id.slice(1)}` },
    }),
  ];
  const digests = parts.map((part) => `"${part[0]}":"${digest(part)}"`).join(",");
  const header = `{"id":"${id}","message":"action.perform","node":"n-7f3a1b2c","principal":"app:orders","grant":"g-01KB9W3X5T2Q8M4N","at":${at},"verdict":"done",${digests}}`;
  // Two rows: one that is new, and one that others wrote before.
  const rows: RowChange[] = withRows
    ? [
        { table: "execution", key: `x${id.slice(1)}`, json: JSON.stringify(row), fresh: true },
        { table: "counter", key: `customer-${n % HOT_ROWS}`, json: `{"count":${n},"at":${at}}` },
      ]
    : [];
  return { id, at, text: [header, ...parts].join("\n"), rows };
}

const LINES = [
  { sku: "A-1001", count: 2, text: "a line of an order as orders are" },
  { sku: "B-2002", count: 1, text: "and one more of them" },
];

function line(letter: string, value: unknown): string {
  const json = JSON.stringify(value);
  return `${letter}${digest(json).slice(0, 22)}${json}`;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

function base32(value: number, characters: number): string {
  let text = "";
  for (let rest = value; text.length < characters; rest = Math.floor(rest / 32)) text = ALPHABET[rest % 32] + text;
  return text;
}
