// Ten thousand messages decided again: under other opening hours, under a changed grant, under nothing changed at all. What is
// to differ is said by the entries themselves, read here by nothing of the rehearsal's.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeEntry, type Log, memoryLog, type Rehearsal, rehearse, type Trace } from "@capstan/orchestrator";
import { rehearsedGrant } from "@capstan/plugins";
import { composition, MESSAGES, makeHistory, World } from "./ten-thousand.ts";

interface Recorded {
  readonly entry: number;
  readonly message: string;
  readonly name: string | undefined;
  readonly principal: string;
  readonly grant: string;
  readonly hour: number;
  readonly verdict: string;
  readonly code: string | undefined;
  readonly trace: Trace;
}

const directory = mkdtempSync(join(tmpdir(), "capstan-rehearsal-"));
const file = join(directory, "world");
const world = new World(file);
const plugins = composition(world, 9, 17);
const log: Log = memoryLog();
let bobs: string;
let recorded: readonly Recorded[];
let before: { readonly head: number; readonly runs: number; readonly file: string };

const carriedOut = () => ({ head: log.head, runs: world.runs, file: readFileSync(file, "utf8") });

beforeAll(async () => {
  bobs = await makeHistory(log, plugins, 3);
  before = carriedOut();
  recorded = (await log.read(1, { limit: log.head })).map((stored) => {
    const entry = decodeEntry(stored);
    const { message, principal, grant, at, verdict } = entry.header;
    const trace = entry.part("t") as Trace;
    return {
      ...{ entry: stored.seq, message, principal, grant, hour: new Date(at).getUTCHours(), verdict, trace },
      name: (entry.part("b") as { data: { name?: string } }).data.name,
      code: trace.error?.code,
    };
  });
}, 120_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs it, prints how long it took, and checks that nothing came of it. */
async function rehearsed(what: string, options: Partial<Parameters<typeof rehearse>[0]> = {}): Promise<Rehearsal> {
  const start = performance.now();
  const report = await rehearse({ log, plugins, ...options });
  const took = performance.now() - start;
  const { messages, differ, undecidable } = report;
  console.log(`${what}: ${messages} messages, ${differ} differ, ${undecidable} undecidable, ${took.toFixed(0)} ms`);
  expect(carriedOut()).toEqual(before);
  const { state } = report;
  expect([state.before, state.replayed, state.same]).toEqual([state.after, state.after, true]);
  expect(report.messages).toBe(report.compared + report.undecidable + report.skipped);
  return report;
}

let shorter: Promise<Rehearsal> | undefined;
/** Under hours that are an hour shorter at both ends; decided once for all who look at it. */
function shorterHours(): Promise<Rehearsal> {
  shorter ??= rehearsed("business hours 10 to 16", { plugins: composition(world, 10, 16) });
  return shorter;
}

const entries = (some: readonly { readonly entry: number }[]): number[] => some.map(({ entry }) => entry);

test("the history has everything in it", () => {
  const count = (has: (one: Recorded) => boolean) => recorded.filter(has).length;
  const found = {
    messages: recorded.length,
    performed: count(({ message, verdict }) => message === "action.perform" && verdict === "done"),
    registered: count(({ message, verdict }) => message === "action.register" && verdict === "done"),
    held: count(({ verdict }) => verdict === "held"),
    continued: count(({ trace }) => trace.continues !== undefined),
    triedAgain: count(({ trace }) => trace.verdicts.some(({ clause }) => clause?.startsWith("attempt"))),
    retried: count(({ message, verdict }) => message === "execution.retry" && verdict === "done"),
    queries: count(({ message }) => message === "action.list"),
    codes: [...new Set(recorded.flatMap(({ code }) => code ?? []))].sort(),
  };
  console.log(JSON.stringify(found));
  // The world tells what was carried out, and that it would tell what was carried out once more.
  expect(before.runs).toBeGreaterThan(MESSAGES / 10);
  expect(before.file.split("\n")).toHaveLength(before.runs + 1);
  const { messages, codes, ...kinds } = found;
  expect(messages).toBeGreaterThanOrEqual(MESSAGES);
  for (const [kind, number] of Object.entries(kinds)) expect([kind, number > 20]).toEqual([kind, true]);
  expect(codes).toEqual(
    expect.arrayContaining([
      ...["ACTION_UNKNOWN", "APPROVAL_DENIED", "BUSINESS_HOURS_CLOSED", "GRANT_REVOKED", "GRANT_UNKNOWN"],
      ...["INPUT_INVALID", "KEY_REUSED", "PRINCIPAL_EXISTS", "PROTOCOL_UNKNOWN", "REFUSED"],
    ]),
  );
});

test("unchanged, every message is decided as it was", async () => {
  const report = await rehearsed("nothing changed");
  expect(report).toMatchObject({ messages: recorded.length, differ: 0, undecidable: 0, skipped: 1, notes: [] });
});

describe("with other opening hours", () => {
  // Who got as far as the plugin was told its clause.
  const asked = ({ trace }: Recorded) => trace.verdicts.some(({ plugin }) => plugin === "business-hours");

  test("what was performed at the hours that are closed now is refused by their clause, and the rest is as it was", async () => {
    const report = await shorterHours();
    const closedNow = recorded.filter((one) => asked(one) && (one.hour === 9 || one.hour === 16));
    const closedBoth = recorded.filter(({ code }) => code === "BUSINESS_HOURS_CLOSED");
    expect(closedNow.length).toBeGreaterThan(200);
    expect(entries(report.differences)).toEqual(entries([...closedNow, ...closedBoth]).sort((a, b) => a - b));
    for (const { entry, now } of report.differences) {
      const { hour } = recorded[entry - 1] as Recorded;
      expect(now).toMatchObject({
        ...{ verdict: "refused", code: "BUSINESS_HOURS_CLOSED", plugin: "business-hours", clause: "open 10 to 16" },
        text: expect.stringContaining(`closed at ${hour}:00 UTC`),
      });
    }
    expect(report.undecidable).toBe(0);
    expect(report.notes).toEqual(['"business-hours" has another version or configuration']);
  });

  test("what was refused at the hours that are open now goes on to what the plugins after it say", async () => {
    const report = await rehearsed("business hours 0 to 24", { plugins: composition(world, 0, 24) });
    const closed = recorded.filter(({ code }) => code === "BUSINESS_HOURS_CLOSED");
    // Whether an action that was not here could have been reached elsewhere nobody looked up then, and so nobody knows.
    const unknown = report.undecidables.filter(({ reason }) =>
      /^session row ".*" of "elsewhere" was not recorded$/.test(reason),
    );
    expect(report.undecidable).toBe(unknown.length);
    expect(unknown.length).toBeGreaterThan(50);
    expect(entries([...report.differences, ...unknown]).sort((a, b) => a - b)).toEqual(entries(closed));
    const now = Map.groupBy(report.differences, ({ now: { verdict, code } }) => code ?? verdict);
    expect([...now.keys()]).toEqual(expect.arrayContaining(["INPUT_INVALID", "done", "held"]));
    expect(now.get("done")?.[0]).toMatchObject({
      was: { verdict: "refused", plugin: "business-hours", clause: "open 9 to 17" },
      now: { verdict: "done", plugin: "business-hours", clause: "open 0 to 24" },
    });
  });
});

describe("with a changed grant", () => {
  test("what it covers no more is refused by its clause, under it and under what was made of it", async () => {
    const changes = [rehearsedGrant(bobs, { allow: ["action.perform:greet"] })];
    const report = await rehearsed(`${bobs} --allow action.perform:greet`, { changes });
    const uncovered = recorded.filter(
      ({ principal, grant, message, name, trace }) =>
        principal === "bob" &&
        trace.verdicts[0]?.plugin === "auth" &&
        // Refused before it was asked what the grant covers, or by one that is narrower as it is.
        trace.error?.code !== "GRANT_REVOKED" &&
        !(message === "action.perform" && name === "greet") &&
        !(grant !== bobs && trace.error?.code === "REFUSED"),
    );
    expect(uncovered.length).toBeGreaterThan(1000);
    expect(entries(report.differences)).toEqual(entries(uncovered));
    for (const { message, now } of report.differences) {
      expect([now.code, now.plugin]).toEqual(["REFUSED", "auth"]);
      expect(now.clause).toMatch(message === "action.perform" ? /^clause 1: name ".*" is not "greet"$/ : /^clause 1: /);
    }
  });

  test("and changed hours at once, both are told", async () => {
    const changes = [rehearsedGrant(bobs, { revoke: true })];
    const report = await rehearsed(`${bobs} --revoke, hours 10 to 16`, {
      plugins: composition(world, 10, 16),
      changes,
    });
    const now = new Set(report.differences.map(({ now: { code } }) => code));
    expect([...now].sort()).toEqual(["BUSINESS_HOURS_CLOSED", "GRANT_REVOKED"]);
    const ofBob = report.differences.filter(({ principal }) => principal === "bob");
    expect(ofBob.every(({ now: { code } }) => code === "GRANT_REVOKED")).toBe(true);
  });
});

test("the newest thousand are decided on everything before them", async () => {
  const report = await rehearsed("the last 1,000", { plugins: composition(world, 10, 16), last: 1000 });
  expect(report.entries).toEqual({ from: log.head - 999, to: log.head });
  const all = await shorterHours();
  expect(report.differences).toEqual(all.differences.filter(({ entry }) => entry > log.head - 1000));
  expect(report.messages).toBe(1000);
});
