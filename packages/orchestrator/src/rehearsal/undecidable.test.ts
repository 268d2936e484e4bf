// Where nobody can say what would have been decided, because what it would be decided by is not in the log: said so, with the
// reason, and never guessed.

import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { FaultError, fault } from "../fault/fault.ts";
import type { Part } from "../log/part.ts";
import { signal } from "../message/definition.ts";
import type { Facts } from "../message/message.ts";
import type { AnyPlugin } from "../plugin/plugin.ts";
import { next, refuse } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import type { State } from "../state/state.ts";
import { table } from "../state/table.ts";
import { notes, noteTable } from "../testing/notes.fixture.ts";
import { admits, codeOf, plugin, start, takes } from "../testing/start.fixture.ts";
import { historyOf } from "./history.fixture.ts";
import { rehearse } from "./rehearse.ts";
import type { Rehearsal } from "./report.ts";

const reasons = ({ undecidables }: Rehearsal) => undecidables.map(({ entry, reason }) => `${entry}: ${reason}`);
const codes = ({ differences }: Rehearsal) =>
  differences.map(({ entry, now }) => `${entry}: ${now.code ?? now.verdict}`);

describe("facts", () => {
  interface Weather {
    readonly version?: string;
    readonly prepare?: () => Promise<Facts>;
    /** The fact that it decides by, if any. */
    readonly by?: string | undefined;
  }

  /** Nobody sails in a strong wind. */
  const weather = ({ version = "1", prepare = async () => ({ wind: 3 }), by = "wind" }: Weather): AnyPlugin =>
    plugin("weather", {
      version,
      needs: [authority],
      prepare: { "boat.sail": prepare },
      decide({ message, envelope }) {
        if (message.resource !== "boat" || by === "") return next();
        return ((envelope.facts[by] as number) ?? 0) > 5 ? refuse("TOO_WINDY", "too windy") : next();
      },
    });
  const boats = plugin("boats", { needs: [authority], messages: { boat: { sail: takes() } } });
  const denied = new Set(["mal"]);

  async function sailed(plugins: readonly AnyPlugin[]) {
    const node = await start(plugins);
    await node.send("boat.sail").catch(() => {});
    await codeOf(node.send("boat.sail", {}, { as: "mal" }));
    return historyOf(node.log);
  }

  test("that a new plugin would have prepared are not there, but for whom the plugins before it refuse", async () => {
    const log = await sailed([admits(denied), boats]);
    const report = await rehearse({ log, plugins: [admits(denied), weather({}), boats] });
    expect(reasons(report)).toEqual(['2: the fact "wind" was not recorded']);
    expect(report).toMatchObject({ messages: 3, compared: 1, same: 1, skipped: 1 });
  });

  test("that a changed plugin does not ask for are not missed", async () => {
    const log = await sailed([admits(denied), boats]);
    const report = await rehearse({ log, plugins: [admits(denied), weather({ by: "" }), boats] });
    expect(report).toMatchObject({ same: 2, undecidable: 0 });
  });

  test("that were recorded serve another version too; others do not", async () => {
    const log = await sailed([admits(denied), weather({ prepare: async () => ({ wind: 7 }) }), boats]);
    const same = await rehearse({ log, plugins: [admits(denied), weather({ version: "2" }), boats] });
    expect(same).toMatchObject({ same: 2, undecidable: 0 });
    const calm = { version: "2", by: "gusts" };
    const other = await rehearse({ log, plugins: [admits(denied), weather(calm), boats] });
    expect(reasons(other)).toEqual(['2: the fact "gusts" was not recorded']);
    // The plugin that decided then would not have had them either.
    const unchanged = await rehearse({ log, plugins: [admits(denied), weather({ by: "gusts" }), boats] });
    expect(codes(unchanged)).toEqual(["2: done"]);
  });

  test("are missed by whoever asks for all of them", async () => {
    const log = await sailed([admits(denied), boats]);
    const all: AnyPlugin = {
      ...weather({}),
      decide: ({ message, envelope }) =>
        message.resource === "boat" && Object.keys(envelope.facts).length > 0 ? refuse("X", "x") : next(),
    };
    const report = await rehearse({ log, plugins: [admits(denied), all, boats] });
    expect(reasons(report)).toEqual(["2: all its facts were asked for, and others might have been recorded"]);
    const asks: AnyPlugin = {
      ...all,
      decide: ({ envelope }) => ("wind" in envelope.facts ? refuse("X", "x") : next()),
    };
    expect(reasons(await rehearse({ log, plugins: [admits(denied), asks, boats] }))).toEqual([
      '2: the fact "wind" was not recorded',
    ]);
  });

  test("that could not be prepared stay so, unless who prepares changed or it would be refused before", async () => {
    const fails = async () => {
      throw new FaultError(fault("STATION_DOWN", "no answer"));
    };
    const log = await sailed([admits(denied), weather({ prepare: fails }), boats]);
    expect(await rehearse({ log, plugins: [admits(denied), weather({}), boats] })).toMatchObject({ same: 2 });
    const changed = await rehearse({ log, plugins: [admits(denied), weather({ version: "2" }), boats] });
    expect(reasons(changed)).toEqual(['2: preparing it failed (STATION_DOWN), and "weather" prepares otherwise now']);
    const refusing = await rehearse({ log, plugins: [admits(new Set(["ada", "mal"])), weather({}), boats] });
    expect(codes(refusing)).toEqual(["2: DENIED"]);
    expect(codes(await rehearse({ log, plugins: [admits(denied), boats] }))).toEqual(["2: done"]);
  });
});

describe("session rows", () => {
  const beats = table<number>("beat", "session");
  const heart = (look: (state: State) => boolean, version = "1"): AnyPlugin =>
    plugin("heart", {
      version,
      needs: [authority],
      tables: [beats],
      messages: {
        heart: { beat: signal({ summary: "Beat.", data: z.strictObject({}), result: z.unknown() }), look: takes() },
      },
      decide({ message, envelope, state }) {
        if (message.resource !== "heart") return next();
        if (message.action === "beat") return next({ state: state.put(beats, envelope.principal, 1) });
        return look(state) ? next() : refuse("NO_BEAT", "nobody is there");
      },
    });
  const ofAda = (state: State) => state.get(beats, "ada") !== undefined;
  const ofAnyone = (state: State) => [...state.rows(beats)].length > 0;

  async function looked(look: (state: State) => boolean) {
    const node = await start([admits(), heart(look)]);
    await node.send("heart.look").catch(() => {});
    await node.send("heart.beat");
    await node.send("heart.look");
    expect(await node.history()).toEqual(["heart.look refused", "heart.look done"]);
    return historyOf(node.log);
  }

  test("that were read are there for that decision, and nothing of them for others", async () => {
    for (const look of [ofAda, ofAnyone]) {
      const log = await looked(look);
      expect(await rehearse({ log, plugins: [admits(), heart(look)] })).toMatchObject({ same: 2, undecidable: 0 });
    }
  });

  test("that were not read, by key or at all, are missed", async () => {
    const log = await looked(ofAda);
    const other = await rehearse({ log, plugins: [admits(), heart((state) => state.get(beats, "bob") === 1, "2")] });
    expect(reasons(other)).toEqual([
      '2: session row "bob" of "beat" was not recorded',
      '3: session row "bob" of "beat" was not recorded',
    ]);
    const all = await rehearse({ log, plugins: [admits(), heart(ofAnyone, "2")] });
    expect(reasons(all)).toEqual([
      '2: session rows of "beat" were not recorded',
      '3: session rows of "beat" were not recorded',
    ]);
  });

  test("that its own plugin never came to look for are missed", async () => {
    const node = await start([admits(new Set(["mal"])), heart(ofAnyone)]);
    await codeOf(node.send("heart.look", {}, { as: "mal" }));
    const report = await rehearse({ log: await historyOf(node.log), plugins: [admits(), heart(ofAnyone)] });
    expect(reasons(report)).toEqual(['2: session rows of "beat" were not recorded']);
  });
});

describe("erased parts", () => {
  async function erased(part: Part) {
    const facts = plugin("facts", {
      needs: [authority],
      prepare: { "note.write": async () => ({ a: 1 }) },
      decide: ({ message, state }) =>
        message.resource === "note" && state.get(noteTable, "b") !== undefined ? refuse("B_THERE", "b") : next(),
    });
    const plugins = [admits(), facts, notes()];
    const node = await start(plugins);
    for (const name of ["a", "b", "c"]) await node.send("note.write", { name, text: "hi" }).catch(() => {});
    expect(await node.history()).toEqual(["note.write done", "note.write done", "note.write refused"]);
    return rehearse({ log: await historyOf(node.log, { erased: [[3, part]] }), plugins });
  }

  for (const [part, reason] of [
    ["b", "its body was erased"],
    ["f", "its facts were erased"],
    ["t", "its trace was erased, and with it what was said of it"],
  ] as const) {
    test(`${part}: the message cannot be decided again, and those after it can`, async () => {
      const report = await erased(part);
      expect(reasons(report)).toEqual([`3: ${reason}`]);
      expect(report).toMatchObject({ same: 2, differ: 0, state: { same: true, replayed: expect.any(String) } });
    });
  }

  test("r: the message can, and those that read what it may have written cannot", async () => {
    const report = await erased("r");
    expect(reasons(report)).toEqual(['4: row "b" of "note" is not in the log any more']);
    expect(report.same).toBe(2);
    // What nobody knows has no digest; what the log has stays comparable.
    expect(report.state).toMatchObject({ replayed: undefined, same: true });
  });
});

test("a beginning that is gone, and nothing that restates it: what was written since is known, and no more", async () => {
  const plugins = [admits(), notes()];
  const node = await start(plugins);
  for (const name of ["a", "b", "a", "b"]) await node.send("note.write", { name, text: "hi" }).catch(() => {});
  const report = await rehearse({ log: await historyOf(node.log, { first: 3 }), plugins });
  expect(reasons(report)).toEqual([
    '3: row "b" of "note" is not in the log any more',
    '4: row "a" of "note" is not in the log any more',
  ]);
  expect(report).toMatchObject({ messages: 3, same: 1, entries: { from: 3, to: 5 }, state: { replayed: undefined } });
});
