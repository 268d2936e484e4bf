// What an operator wants to know of a subscription whose topics others publish: whether it arrives, from whom, by which way, how far it
// is, since when not, and what was missed.

import type { Authority, Reader } from "@capstan/orchestrator";
import { actions } from "../registry/schema.ts";
import type { Deliveries } from "./delivery/deliveries.ts";
import {
  type ImportRow,
  importedTable,
  type TopicState,
  type Topics,
  type TopicWay,
  topicElsewhereTable,
} from "./elsewhere/topics.ts";
import { covers, isHere, isPattern, nameIn } from "./topic.ts";

/** Of one pattern. */
const MOST_SHOWN = 100;
/** What is imported among them, which is found first; to sort tens of thousands takes its time of the loop. */
const MOST_LOOKED_AT = 1000;

interface Parts {
  /** On a log that is only read there are none, and nothing arrives. */
  readonly deliveries: Deliveries | undefined;
  readonly carriers: Topics["carriers"];
}

export interface ShownElsewhere {
  readonly topic: string;
  /** `beginning`: the way is there, and nothing was read by it yet. `past`: more topics are covered than are imported. */
  readonly state: "arriving" | "beginning" | "waiting" | "past";
  /** Why it does not arrive, and since when. */
  readonly why?: string;
  readonly since?: number;
  /** The node that publishes it, the neighbour that leads there, and the administrations on the way. */
  readonly origin?: string;
  readonly via?: string;
  readonly path?: readonly string[];
  /** In the origin's log: everything up to there arrived. */
  readonly cursor?: string;
  /** When the last publication came. */
  readonly at?: number;
  readonly missed?: { readonly why: string; readonly text: string; readonly at: number; readonly times: number };
}

/** `undefined` where all of it is of this node. */
export function topicsElsewhere(
  topic: string,
  reader: Reader,
  authority: Authority,
  parts: Parts,
): readonly ShownElsewhere[] | undefined {
  const table = parts.deliveries?.runtime.given(actions);
  const here = (one: string): boolean => table !== undefined && isHere(reader, table, one);
  if (!isPattern(topic)) return here(topic) ? undefined : [shownTopic(topic, reader, parts)];
  const found = new Set<string>();
  for (const rows of [importedTable, topicElsewhereTable]) {
    for (const [one] of reader.rows<unknown>(rows)) {
      if (found.size >= MOST_LOOKED_AT) break;
      if (covers(topic, one) && authority.reads(nameIn(one)) && !here(one)) found.add(one);
    }
  }
  if (found.size === 0) return undefined;
  return [...found]
    .sort()
    .slice(0, MOST_SHOWN)
    .map((one) => shownTopic(one, reader, parts));
}

function shownTopic(topic: string, reader: Reader, { deliveries, carriers }: Parts): ShownElsewhere {
  const way = reader.get(topicElsewhereTable, topic);
  const row = reader.get(importedTable, topic);
  const said = stateIn(carriers, way, topic);
  const origin = row?.origin ?? said?.origin ?? way?.origin;
  const via = said?.via ?? way?.peer ?? row?.via;
  return {
    topic,
    ...stateOf(way, row, said, deliveries?.wanted.has(topic) ?? false),
    ...(origin === undefined ? {} : { origin }),
    ...(via === undefined ? {} : { via }),
    ...(way === undefined ? {} : { path: [...way.path] }),
    ...(row === undefined ? {} : { cursor: row.cursor }),
    ...(row?.at === undefined ? {} : { at: row.at }),
    ...(row?.missed === undefined ? {} : { missed: missedIn(row.missed) }),
  };
}

/** As whoever reads there says. */
function stateIn(carriers: Parts["carriers"], way: TopicWay | undefined, topic: string): TopicState | undefined {
  if (way !== undefined) return carriers.get(way.by)?.stateOf(topic);
  for (const carrier of carriers.values()) {
    const state = carrier.stateOf(topic);
    if (state !== undefined) return state;
  }
  return undefined;
}

function stateOf(
  way: TopicWay | undefined,
  row: ImportRow | undefined,
  said: TopicState | undefined,
  wanted: boolean,
): Pick<ShownElsewhere, "state" | "why" | "since"> {
  const since = said === undefined ? {} : { since: said.since };
  if (said?.reading) return { state: row === undefined ? "beginning" : "arriving", ...since };
  if (way === undefined) return { state: "waiting", why: said?.why ?? "no way leads there now", ...since };
  if (!wanted) return { state: "past", why: "more topics are covered than are imported; subscribe to it by its name" };
  return { state: row === undefined ? "beginning" : "waiting", why: said?.why ?? "nobody reads there yet", ...since };
}

function missedIn({ why, text, at, times }: NonNullable<ImportRow["missed"]>) {
  return { why, text, at, times };
}
