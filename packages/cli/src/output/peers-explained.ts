// What peers said became of a message that they were asked, below the explanation that this node has of it: a block each, further in
// with each node further away. All of it is other administrations' word.

import { type Explained, line, pluginRows, type Row } from "./explanation.ts";

/** What a peer tells of a message that it was asked: `peer.explain`. */
export interface Account {
  readonly disclosed?: string;
  readonly id?: string;
  readonly state?: string;
  readonly code?: string;
  readonly plugin?: string;
  readonly text?: string;
  readonly plugins?: Explained["plugins"];
  readonly peers?: readonly Told[];
}

export interface Told {
  readonly name: string;
  readonly node: string;
  readonly said?: Account;
  readonly silent?: string;
}

/** Sixteen nodes are the most that a message goes through. */
const DEEPEST = 16;

export function peersExplained(peers: readonly Told[], depth = 0): string {
  return depth > DEEPEST ? "" : peers.map((told) => block(told, depth)).join("");
}

function block({ name, node, said, silent }: Told, depth: number): string {
  const at = `at ${name}`;
  const who = node === name ? undefined : node;
  if (said === undefined) return lines([[at, "did not say", silent, who]], depth);
  const { disclosed, id, state, code, plugin, text, plugins = [], peers = [] } = said;
  if (disclosed === "nothing") return lines([[at, "tells nothing", who]], depth);
  // The plugins' own lines say who it was.
  const by = plugin === undefined || plugins.length > 0 ? undefined : `by ${plugin}`;
  const why = [code, text].filter((one) => one !== undefined).join(": ");
  const head: Row = [at, state ?? "unknown", who, id, why, by];
  return lines([head, ...pluginRows(plugins).map(inner)], depth) + peersExplained(peers, depth + 1);
}

function inner([name, ...said]: Row): Row {
  return [`  ${name}`, ...said] as Row;
}

function lines(rows: readonly Row[], depth: number): string {
  return rows.map((row) => `${"  ".repeat(depth + 1)}${line(row, rows)}\n`).join("");
}
