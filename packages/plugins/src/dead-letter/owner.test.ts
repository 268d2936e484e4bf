// Letters of another plugin's work: what is given to those that owe something knows no kind of it, and forgives what they
// forget. Also how many letters there may be.

import { describe, expect, test } from "bun:test";
import {
  type Authority,
  authority,
  command,
  createOrchestrator,
  definePlugin,
  type Envelope,
  next,
  type Reader,
  refuse,
} from "@capstan/orchestrator";
import fc from "fast-check";
import { z } from "zod";
import { auth } from "../auth/auth.ts";
import { faultFrom } from "../hub.fixture.ts";
import { answerList, retained } from "./answer.ts";
import { deadLetter } from "./dead-letter.ts";
import { deadLetters, type LetterRow, letterTable } from "./schema.ts";

const parcel = z.strictObject({ name: z.string() });
const says = { summary: "For tests.", data: parcel, result: z.unknown() };

/** `parcel.lose` makes a letter; `parcel.send`, which redrives it, never says that it left. */
function courier(refuses: Set<string>) {
  return definePlugin({
    name: "courier",
    needs: [authority, deadLetters],
    messages: { parcel: { lose: command(says), send: command(says) } },
    decide({ message, envelope, needs }) {
      if (message.resource !== "parcel") return next();
      const { name } = message.data as { name: string };
      if (message.action === "send") return refuses.has(name) ? refuse("INPUT_INVALID", "no") : next();
      const letter = needs.deadLetters.add({
        ...{ kind: "parcel", about: name, name, attempts: 1, error: { code: "LOST", message: "gone" } },
        ...{ owing: envelope.id, principal: envelope.principal, grant: envelope.grant },
        redrive: { resource: "parcel", action: "send", data: { name } },
      });
      return next({ then: [letter] });
    },
  });
}

async function start() {
  const refuses = new Set<string>();
  const hub = await createOrchestrator({ plugins: [auth(), deadLetter(), courier(refuses)] });
  const app = await hub.scope({ principal: "app", allow: ["*"] });
  const letters = async () => (await app.deadLetter.list()).items as { id: string; about: string; state: string }[];
  return { hub, app, refuses, letters };
}

describe("another plugin's letter", () => {
  test("is redriven by its own message, and leaves though its owner does not say so", async () => {
    const { app, letters } = await start();
    await app.parcel.lose({ name: "a" });
    const [letter] = await letters();
    expect(letter).toMatchObject({ about: "a", kind: "parcel", code: "LOST" });
    expect(await app.deadLetter.redrive({ id: letter?.id as string })).toMatchObject({ id: letter?.id });
    expect(await letters()).toEqual([]);
  });

  test("stays where its message is refused", async () => {
    const { app, letters, refuses } = await start();
    await app.parcel.lose({ name: "a" });
    refuses.add("a");
    const [letter] = await letters();
    expect(await faultFrom(app.deadLetter.redrive({ id: letter?.id as string }))).toMatchObject({
      code: "INPUT_INVALID",
    });
    expect(await letters()).toMatchObject([{ id: letter?.id, state: "open" }]);
  });

  test("takes the place of one about the same thing: there is one at a time", async () => {
    const { app, letters } = await start();
    await app.parcel.lose({ name: "a" });
    const [before] = await letters();
    await app.parcel.lose({ name: "a" });
    const [after, ...others] = await letters();
    expect(others).toEqual([]);
    expect(after?.id).not.toBe(before?.id);
    expect(await app.deadLetter.show({ id: before?.id as string })).toMatchObject({
      ...{ state: "replaced", end: { replaced: after?.id } },
    });
  });
});

const row = (owing: string, name = "a"): LetterRow => {
  return { kind: "parcel", about: owing, name, attempts: 1, code: "LOST", owing };
};

function readerOf(rows: readonly (readonly [string, LetterRow])[]): Reader {
  const byId = new Map(rows);
  const reader: Partial<Reader> = {
    rows: () => byId.entries() as never,
    get: (_table, key) => byId.get(key) as never,
    find: (id) => Number(id.slice(2)),
  };
  return reader as Reader;
}

const everything = { reads: () => true } as Partial<Authority> as Authority;
const asks = (data: object) => ({ message: { data } }) as Envelope;

test("however many there are, and in whatever order, a page has the newest", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(9999), { maxLength: 200 }),
      fc.integer({ min: 1, max: 9 }),
      fc.option(fc.nat(9999), { nil: undefined }),
      (numbers, limit, cursor) => {
        const idOf = (number: number) => `d-${String(number).padStart(4, "0")}`;
        const reader = readerOf(numbers.map((number) => [idOf(number), row(`m-${number}`)]));
        const before = cursor === undefined ? {} : { before: idOf(cursor) };
        const page = answerList(asks({ limit, ...before }), reader, everything);
        const fit = numbers.filter((number) => number < (cursor ?? Number.POSITIVE_INFINITY)).sort((a, b) => b - a);
        expect(page.items.map(({ id }) => id)).toEqual(fit.slice(0, limit).map(idOf));
        expect(page.next).toBe(fit.length > limit ? idOf(fit[limit - 1] as number) : undefined);
      },
    ),
  );
});

test("compaction stops before what an open letter cannot be redriven without", async () => {
  expect(await retained(readerOf([]))).toBeUndefined();
  const two = [
    ["d-7", row("m-5")],
    ["d-8", row("m-2", "team/b")],
  ] as const;
  expect(await retained(readerOf(two))).toEqual({
    ...{ entry: 2, why: "dead letter d-8, of team/b: redrive or discard it" },
  });
  expect(letterTable.kind).toBe("logged");
});
