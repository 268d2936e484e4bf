// A node's numbers on one screen: rates between two samples, or since the node began where there is only one.

import { columns } from "./columns.ts";
import { count } from "./count.ts";
import { spanText } from "./progress.ts";
import { shown } from "./shown.ts";

/** What `node.metrics` answers, as far as it is shown. */
export interface Sample {
  readonly at: number;
  readonly node: { readonly id: string; readonly name: string; readonly version: string; readonly uptime: number };
  readonly messages: readonly {
    readonly name: string;
    readonly kind: string;
    readonly verdicts: Readonly<Record<string, number>>;
  }[];
  readonly decisions: { readonly count: number; readonly p50: number; readonly p99: number };
  readonly effects: {
    readonly running: number;
    readonly waiting: number;
    readonly kinds: readonly { readonly outcomes: Readonly<Record<string, number>> }[];
  };
  readonly sessions: { readonly open: number; readonly breaches: number; readonly refusedCredentials: number };
  readonly log: {
    readonly durable: number;
    readonly groups: number;
    readonly entries: number;
    readonly appendP99: number;
    readonly bytes: number;
    readonly walBytes: number;
    readonly damaged: boolean;
  };
  readonly process: {
    readonly cpu: number;
    readonly rss: number;
    readonly heap: number;
    readonly loopDelayP99: number;
    readonly loopDelayMax: number;
  };
}

/** A subscription and how far behind it is. */
export interface Lagging {
  readonly id: string;
  readonly topic: string;
  readonly receiver?: string;
  readonly state?: string;
  readonly lag?: number;
}

const MOST_MESSAGES = 12;
const MOST_SUBSCRIPTIONS = 8;

/** @param before an earlier one of the same process; without it the rates are since it began */
export function topText(
  now: Sample,
  before: Sample | undefined,
  subscriptions: readonly Lagging[],
  url: string,
): string {
  const earlier = before !== undefined && before.node.uptime <= now.node.uptime ? before : undefined;
  const seconds = earlier === undefined ? now.node.uptime : (now.at - earlier.at) / 1000;
  const rate = (read: (sample: Sample) => number): string =>
    perSecond(read(now) - (earlier === undefined ? 0 : read(earlier)), seconds);
  const { node, decisions, effects, sessions, log, process } = now;
  const busy = earlier === undefined ? process.cpu : process.cpu - earlier.process.cpu;
  const groups = log.groups - (earlier?.log.groups ?? 0);
  const grouped = log.entries - (earlier?.log.entries ?? 0);
  const size = groups > 0 ? ` of ${(grouped / groups).toFixed(1)} entries` : "";
  const since = earlier === undefined ? "   rates since it began" : "";
  return [
    `${shown(node.id)}  ${shown(node.name)}  ${shown(node.version)}   up ${spanText(node.uptime)}   ${shown(url)}${since}\n`,
    columns([
      ["messages", `${rate(decided)}  done ${rate(done)}, other ${rate((one) => decided(one) - done(one))}`],
      ["", `decided in ${span(decisions.p50)}, p99 ${span(decisions.p99)}`],
      ["effects", `${count(effects.running)} running, ${count(effects.waiting)} waiting   ${outcomes(rate)}`],
      ["log", `${count(log.durable)} entries, ${bytes(log.bytes + log.walBytes)}${log.damaged ? "   DAMAGED" : ""}`],
      ["", `groups ${perSecond(groups, seconds)}${size}, append p99 ${span(log.appendP99)}`],
      ["process", `CPU ${percent(busy, seconds)}, memory ${bytes(process.rss)}, heap ${bytes(process.heap)}`],
      ["", `loop delay p99 ${span(process.loopDelayP99)}, longest ${span(process.loopDelayMax)}`],
      [
        "sessions",
        `${count(sessions.open)} open, ${count(sessions.breaches)} over budget, ${count(sessions.refusedCredentials)} credentials refused`,
      ],
    ]),
    messagesText(now, earlier, seconds),
    subscriptionsText(subscriptions),
  ].join("");
}

function messagesText(now: Sample, earlier: Sample | undefined, seconds: number): string {
  const before = new Map((earlier?.messages ?? []).map((one) => [one.name, total(one.verdicts)]));
  const rows = now.messages
    .map(({ name, kind, verdicts }) => {
      const all = total(verdicts);
      return { name, kind, all, done: verdicts.done ?? 0, since: all - (before.get(name) ?? 0) };
    })
    .filter(({ all }) => all > 0)
    .sort((one, other) => other.since - one.since || other.all - one.all);
  if (rows.length === 0) return "";
  const more = rows.length - MOST_MESSAGES;
  return `\n${columns([
    ["message", "kind", "a second", "done", "other"],
    ...rows
      .slice(0, MOST_MESSAGES)
      .map(({ name, kind, all, done, since }) => [
        ...[name, kind, perSecond(since, seconds)],
        ...[count(done), all === done ? "" : count(all - done)],
      ]),
    ...(more > 0 ? [[`and ${more} more`]] : []),
  ])}`;
}

function subscriptionsText(subscriptions: readonly Lagging[]): string {
  if (subscriptions.length === 0) return "";
  const rows = [...subscriptions].sort((one, other) => (other.lag ?? 0) - (one.lag ?? 0));
  const more = rows.length - MOST_SUBSCRIPTIONS;
  return `\n${columns([
    ["subscription", "topic", "receiver", "behind", "state"],
    ...rows
      .slice(0, MOST_SUBSCRIPTIONS)
      .map(({ id, topic, receiver, lag, state }) => [id, topic, receiver, lag === undefined ? "" : count(lag), state]),
    ...(more > 0 ? [[`and ${more} more`]] : []),
  ])}`;
}

function outcomes(rate: (read: (sample: Sample) => number) => string): string {
  const of = (outcome: string) => (one: Sample) =>
    one.effects.kinds.reduce((sum, { outcomes }) => sum + (outcomes[outcome] ?? 0), 0);
  return `done ${rate(of("done"))}, failed ${rate(of("failed"))}`;
}

function total(verdicts: Readonly<Record<string, number>>): number {
  return Object.values(verdicts).reduce((sum, one) => sum + one, 0);
}

const decided = ({ messages }: Sample): number => messages.reduce((sum, { verdicts }) => sum + total(verdicts), 0);
const done = ({ messages }: Sample): number => messages.reduce((sum, { verdicts }) => sum + (verdicts.done ?? 0), 0);

function perSecond(number: number, seconds: number): string {
  const rate = seconds > 0 ? Math.max(0, number) / seconds : 0;
  return `${rate >= 10 || rate === 0 ? count(Math.round(rate)) : rate.toFixed(rate >= 1 ? 1 : 2)}/s`;
}

function percent(busy: number, seconds: number): string {
  return `${seconds > 0 ? Math.round((busy / seconds) * 100) : 0} %`;
}

/** Seconds: `21 µs`, `3.1 ms`, `1.2 s` */
export function span(seconds: number): string {
  if (seconds < 1e-3) return `${Math.round(seconds * 1e6)} µs`;
  return seconds < 1 ? `${(seconds * 1e3).toFixed(1)} ms` : `${seconds.toFixed(1)} s`;
}

/** `12.4 MB`; powers of ten. */
export function bytes(number: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  let left = number;
  for (; left >= 1000 && at < units.length - 1; at++) left /= 1000;
  return `${at === 0 ? left : left.toFixed(1)} ${units[at]}`;
}
