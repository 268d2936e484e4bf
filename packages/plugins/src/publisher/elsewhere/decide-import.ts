// Decides on topics of other nodes: the ways to them, and the publications that arrive. The entry that publishes also moves the topic's place
// on, and each import names the place that it follows on: so nothing is imported twice, and nothing is skipped silently.

import { type FollowUp, next, printable, refuse } from "@capstan/orchestrator";
import type { Context } from "../context.ts";
import { type Place, placeOf } from "../cursor.ts";
import { isHere } from "../topic.ts";
import { type Import, type Reach, type Release, topicName } from "./import-schema.ts";
import { type ImportAlertRow, type ImportRow, importAlertTable, importedTable, topicElsewhereTable } from "./topics.ts";

/** Within this time there is at most one alert of a kind for a topic, and a limited number for a neighbour, because others choose the topics. */
const ALERT_EVERY_MS = 60 * 60 * 1000;
const MOST_ALERTS = 16;
const MOST_ALERT = 1000;

export function decideReach({ message, state: before }: Context) {
  const { by, changes } = message.data as Reach;
  let state = before;
  for (const { topic, way } of changes) {
    if (way !== null) {
      if (topicName.safeParse(topic).success) state = state.put(topicElsewhereTable, topic, { by, ...way });
    } else if (state.get(topicElsewhereTable, topic)?.by === by) state = state.remove(topicElsewhereTable, topic);
  }
  return next({ state });
}

/** Nobody here wants these topics any more. */
export function decideRelease({ message, state: before }: Context) {
  const { topics } = message.data as Release;
  let state = before;
  for (const topic of topics) {
    if (state.get(importedTable, topic) !== undefined) state = state.remove(importedTable, topic);
  }
  return next({ state });
}

export function decideImport({ message, state, envelope, needs }: Context) {
  const asked = message.data as Import;
  const { topic, publication } = asked;
  if (isHere(state, needs.actions, topic)) return next({ clause: `${topic} is published here` });
  const place = placeOf(asked.cursor);
  if (place === undefined) return refuse("CURSOR_INVALID", `${topic}: "${printable(asked.cursor)}" is no cursor`);
  const before = state.get(importedTable, topic);
  const step = before === undefined ? beginning(asked) : following(before, asked, place);
  if (step !== undefined) {
    if ("passed" in step) return next({ clause: step.passed });
    return refuse("IMPORT_OUT_OF_STEP", `${topic}: ${step.refused}`);
  }
  const { node } = asked.from;
  const alerted = isAlert(asked, before, envelope.at)
    ? alertedAfter(state.get(importAlertTable, node), envelope.at)
    : undefined;
  const row = rowAfter(before, asked, envelope.at, alerted !== undefined);
  const after = state.put(importedTable, topic, row);
  return next({
    clause: asked.missed === undefined ? `of ${asked.origin}, by ${asked.from.peer}` : `missed: ${asked.missed.why}`,
    state: alerted === undefined ? after : after.put(importAlertTable, node, alerted),
    ...(publication === undefined ? {} : { publishes: topic }),
    ...(alerted === undefined ? {} : { then: [alert(asked, before, alerted)] }),
  });
}

/** Why an arrived publication is not imported. */
type Step = { readonly passed: string } | { readonly refused: string } | undefined;

function beginning({ publication, after }: Import): Step {
  if (publication === undefined && after === undefined) return undefined;
  return { refused: "it is not imported, or no longer; say first where that begins" };
}

function following(before: ImportRow, { origin, after, cursor, missed }: Import, place: Place): Step {
  const last = placeOf(before.cursor) as Place;
  const same = before.origin === origin && last.log === place.log;
  // What cannot be read on from is left, for wherever whoever reads can begin.
  if (missed !== undefined && after === undefined && (!same || missed.why === "future")) return undefined;
  if (!same) return { refused: `it is at ${before.cursor} of ${before.origin}, and this is ${cursor} of ${origin}` };
  if (place.entry <= last.entry) return { passed: `it is at ${before.cursor} already` };
  if (after === before.cursor || (missed?.why === "gone" && after === undefined)) return undefined;
  return { refused: `it is at ${before.cursor}, and this follows on ${after ?? "nothing"}` };
}

function rowAfter(before: ImportRow | undefined, asked: Import, at: number, alerts: boolean): ImportRow {
  const { origin, cursor, from, publication, missed } = asked;
  const last = publication === undefined ? before?.at : at;
  const earlier = before?.missed;
  const alerted = missed !== undefined && alerts ? { ...earlier?.alerted, [missed.why]: at } : (earlier?.alerted ?? {});
  const now = missed === undefined ? earlier : { ...missed, at, times: (earlier?.times ?? 0) + 1, alerted };
  return {
    ...{ origin, cursor, via: from.peer, since: before?.since ?? at },
    ...(last === undefined ? {} : { at: last }),
    ...(now === undefined ? {} : { missed: now }),
  };
}

function isAlert({ missed }: Import, before: ImportRow | undefined, at: number): boolean {
  if (missed === undefined) return false;
  const last = before?.missed?.alerted[missed.why];
  return last === undefined || at - last >= ALERT_EVERY_MS;
}

/** The row with one alert more; `undefined` where the limit is reached. */
function alertedAfter(before: ImportAlertRow | undefined, at: number): ImportAlertRow | undefined {
  if (before === undefined || at - before.since >= ALERT_EVERY_MS) return { since: at, count: 1 };
  return before.count < MOST_ALERTS ? { ...before, count: before.count + 1 } : undefined;
}

function alert(
  { topic, origin, from, missed, cursor }: Import,
  before: ImportRow | undefined,
  { count }: ImportAlertRow,
): FollowUp {
  const what = isBack(cursor, before?.cursor)
    ? "what came after that was taken back there, and stands here"
    : "what was published there is missing here";
  const more =
    count < MOST_ALERTS ? "" : `; of what comes by ${from.peer} no more is told in this hour but by subscription.show`;
  const text = printable(`${topic} of ${origin}, by ${from.peer}: ${missed?.text}; ${what}`, MOST_ALERT - more.length);
  const data = { kind: "topic-missed", about: topic.slice(0, MOST_ABOUT), text: text + more };
  return { message: { resource: "alert", action: "raised", data } };
}

/** Whether the origin was restored from a backup, and the cursor is of after that. */
function isBack(cursor: string, before = ""): boolean {
  const [to, from] = [placeOf(cursor), placeOf(before)];
  return to !== undefined && to.log === from?.log && to.entry < from.entry;
}

/** How much of a topic's name an alert shows. */
const MOST_ABOUT = 200;
