// The short form of `npm run mutate`, and whether it would find anything: every check of it has something that it catches.

import { describe, expect, test } from "bun:test";
import { newSession, type Session } from "@capstan/peer";
import { SeededRandom } from "../chaos/seeded-random.ts";
import { mutate } from "./mutate.ts";
import { runMutations } from "./run-mutations.ts";
import { runSpeakerMutations } from "./speaker-mutations.ts";
import { whyUndefined } from "./victim.ts";

describe("8,000 mutated messages", () => {
  const run = runMutations({ messages: 8_000, seed: 7 });

  test("nothing threw, and no session is in a state that there is not", () => {
    expect(run.thrown).toEqual([]);
    expect(run.violations).toEqual([]);
    expect(run.mutated).toBe(8_000);
  });

  test("they came in every state that has a connection, and most of them got past the JSON", () => {
    expect([...run.states.keys()].sort()).toEqual(["active", "established", "open-confirm", "open-sent"]);
    const read = [...run.outcomes].filter(([what]) => !what.startsWith("no message"));
    expect(read.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThan(4_000);
    for (const what of [
      "update: routes taken, malformed in part",
      "update: update-error/malformed-update",
      "proof: open-error/authentication-failure",
    ]) {
      expect([...run.outcomes.keys()]).toContain(what);
    }
  });
});

test("1,000 to a whole speaker: nothing threw, and no session is in a state that there is not", () => {
  const run = runSpeakerMutations({ messages: 1_000, seed: 7 });
  expect(run.thrown).toEqual([]);
  expect(run.violations).toEqual([]);
  expect([...run.states.keys()].sort()).toEqual(["established", "not proved", "nothing said"]);
});

test("a run is repeated by its seed", () => {
  const outcomes = (seed: number) => [...runMutations({ messages: 300, seed }).outcomes];
  expect(outcomes(3)).toEqual(outcomes(3));
  expect(outcomes(3)).not.toEqual(outcomes(4));
});

describe("controls", () => {
  test("a RIB that believes every signature is found out", () => {
    const { violations } = runMutations({ messages: 500, seed: 2, control: "signatures" });
    expect(violations.some((one) => one.includes("was never signed"))).toBe(true);
  });

  test("a session that believes every proof is found out", () => {
    const { violations } = runMutations({ messages: 4_000, seed: 5, control: "proofs" });
    expect(violations.some((one) => one.startsWith("proved by another proof"))).toBe(true);
    expect(violations.some((one) => one.startsWith("established by another offer"))).toBe(true);
  });

  const sound = newSession("dialler");
  const wrong: readonly Partial<Record<keyof Session, unknown>>[] = [
    { state: "stale" },
    { role: "both" },
    { connection: "c-1" },
    { timers: { hold: Number.NaN } },
    { timers: { lunch: 1 } },
    { sent: -1 },
    { received: 0.5 },
    { agreed: {} },
    { establishedAt: 1 },
    { state: "open-sent" },
    { state: "established", connection: "c-1" },
  ];
  test.each(wrong)("a session with %j is in no state", (change) => {
    expect(whyUndefined(sound)).toBeUndefined();
    expect(whyUndefined({ ...sound, ...change } as Session)).toBeString();
  });
});

test("a mutated message is never the message itself", () => {
  const message = { type: "keepalive", seq: 1 };
  const random = new SeededRandom(1);
  for (let n = 0; n < 2_000; n++) expect(mutate(message, [message], random)).not.toBe(JSON.stringify(message));
});
