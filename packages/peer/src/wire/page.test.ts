// docs/peering-wire.md against the code: its tables of fields, its frames, its codes and its vectors. Whoever implements this
// protocol from the page alone has to get what this package speaks.

import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { claimBytes } from "../origin/claim-text.ts";
import { readChunk } from "../origin/read-chunk.ts";
import { transcript } from "../proof/transcript.ts";
import { isGraceful } from "../session/graceful.ts";
import {
  acceptorSeed,
  channelBinding,
  diallerSeed,
  exchange,
  GOLDEN,
  golden,
  nextSecret,
  secret,
} from "./golden.fixture.ts";
import {
  type Announcement,
  announcement,
  apart,
  capability,
  message,
  originClaim,
  path,
  places,
  type RawUpdate,
  tags,
} from "./message.ts";
import { asLine, bytes32, bytes64, cosignature, identifier, note, ROUTE_NAME } from "./names.ts";
import { type Complaint, notificationCodes } from "./notification-codes.ts";
import { FRAME_BYTES } from "./read-message.ts";

const page = readFileSync(join(import.meta.dir, "../../../../docs/peering-wire.md"), "utf8");
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** What stands between two lines, the first of which is a title or a sentence. */
function after(title: string): string {
  const [, rest] = page.split(`\n${title}\n`);
  if (rest === undefined) throw new Error(`the page has no "${title}"`);
  return rest;
}

/** Cells of the first table behind a line, without its head. */
function tableAfter(title: string): string[][] {
  const lines = after(title).split("\n");
  const from = lines.findIndex((line) => line.startsWith("| "));
  const table = lines.slice(
    from,
    lines.findIndex((line, at) => at > from && !line.startsWith("|")),
  );
  return table.slice(2).map((row) => row.split(" | ").map((cell) => cell.replace(/^\| | ?\|$/g, "").trim()));
}

describe("fields", () => {
  const tables: (readonly [string, z.ZodObject])[] = [
    ...message.options.map((one) => [`### ${one.shape.type.value}`, one] as const),
    ["An announcement:", announcement],
    ["What is apart:", apart],
    ["An origin's claim:", originClaim],
  ];

  test.each(tables)("%s", (title, schema) => {
    const expected = Object.entries(schema.shape).map(([name, field]) => [
      `\`${name}\``,
      formOf(field as z.ZodType, name),
    ]);
    expect(tableAfter(title).map((row) => row.slice(0, 2))).toEqual(expected);
  });
});

test("every golden frame, and no other", () => {
  const shown = page.split("\n").filter((line) => line.startsWith('{"type"'));
  const files = readdirSync(GOLDEN).filter((file) => file.endsWith(".frame"));
  const frames = files.map((file) => readFileSync(join(GOLDEN, file), "utf8").trimEnd());
  expect(shown.toSorted()).toEqual(frames.sort());
});

test("limits of frames", () => {
  const limits = tableAfter("## Frames");
  expect(limits.map(([name, bytes]) => [name, Number(bytes)])).toEqual(
    Object.entries(FRAME_BYTES).map(([name, bytes]) => [`\`${name}\``, bytes]),
  );
});

describe("characters that the page leaves out are those that the code refuses, of all that there are", () => {
  const leftOut = (form: string) => {
    const row = page.split("\n").find((one) => one.startsWith(`| ${form} | `)) ?? "";
    const ranges = [...row.matchAll(/U\+([0-9A-F]{4,5})(?:–([0-9A-F]{4,5}))?/g)];
    return ranges.map(([, from = "", to = from]) => [Number.parseInt(from, 16), Number.parseInt(to, 16)] as const);
  };
  const forms = [
    ["route", (character: string) => ROUTE_NAME.test(`a:${character}`)],
    ["line", (character: string) => asLine(character, 9) === character],
  ] as const;

  test.each(forms)("in a %s", (form, takes) => {
    const ranges = leftOut(form);
    const wrong: string[] = [];
    for (let point = 0; point <= 0x10ffff; point++) {
      const left = ranges.some(([from, to]) => point >= from && point <= to);
      if (takes(String.fromCodePoint(point)) === left) wrong.push(`U+${point.toString(16)}`);
    }
    expect(wrong).toEqual([]);
  });
});

describe("codes", () => {
  const codes = Object.entries(notificationCodes).flatMap(([code, subcodes]) =>
    Object.entries(subcodes).map(([subcode, { number, text }]) => ({ code, subcode, number, text })),
  );

  test("are those of wire/notification-codes.ts, with their numbers and what they are for", () => {
    expect(tableAfter("## Codes")).toEqual(
      codes.map(({ code, subcode, number, text }) => [`\`${code}\``, `\`${subcode}\``, number, text]),
    );
  });

  test("after which routes are gone are named, and no other", () => {
    const [, told = ""] = page.split("After `open-error`, and after `cease` with one of ");
    const named = [...(told.split(", the peer's routes")[0] as string).matchAll(/`([a-z-]+)`/g)].map(([, one]) => one);
    for (const { code, subcode } of codes) {
      const complaint = { code, subcode } as Complaint;
      const gone = code === "open-error" || (code === "cease" && named.includes(subcode));
      expect(`${code}/${subcode} ${!isGraceful({ kind: "complained", ...complaint, text: "" })}`).toEndWith(` ${gone}`);
    }
  });
});

describe("vectors", () => {
  test("seeds and secrets are those of the golden frames", () => {
    for (const bytes of [diallerSeed, acceptorSeed, secret, nextSecret]) expect(page).toContain(`\`${hex(bytes)}\``);
    expect(channelBinding).toBe("");
  });

  test("transcripts", () => {
    const first = golden["proof-dialler"];
    if (first?.type !== "proof") throw new Error("no proof");
    const transcripts = [transcript("dialler", exchange, "", undefined), transcript("acceptor", exchange, "", first)];
    const digests = transcripts.map((bytes) => [
      `${bytes.length}`,
      `\`${createHash("sha256").update(bytes).digest("hex")}\``,
    ]);
    expect(tableAfter("the transcripts have these lengths and SHA-256:")).toEqual([
      ["dialler", ...(digests[0] as string[])],
      ["acceptor", ...(digests[1] as string[])],
    ]);
  });

  test("what the origin signed", () => {
    for (const name of ["update", "update-internal"]) {
      const [one] = (golden[name] as RawUpdate).announce as Announcement[];
      const read = readChunk(one as Announcement);
      if (!read.ok) throw new Error(read.text);
      const text = Buffer.from(claimBytes(read.chunk.claim, read.chunk.root)).toString();
      expect(after("In the golden updates:")).toStartWith(`\n\`\`\`text\n${text}\`\`\`\n`);
    }
  });
});

/** A schema in the page's words. */
function formOf(schema: z.ZodType, name: string): string {
  const { def } = schema as unknown as {
    def: { type: string; innerType: z.ZodType; element: z.ZodType; values: string[]; entries: object };
  };
  const json = z.toJSONSchema(schema, { unrepresentable: "any" }) as Record<string, number | undefined>;
  const minimum = json.minimum ?? json.minItems ?? json.minLength ?? 0;
  const maximum = json.maximum ?? json.maxItems ?? json.maxLength;
  const bounds = minimum === 0 ? `up to ${maximum}` : `${minimum} to ${maximum}`;
  const named = new Map<z.ZodType, string>([
    [identifier, "id"],
    [bytes32, "32 bytes"],
    [bytes64, "64 bytes"],
    [capability, "capability"],
    [note, "note"],
    [cosignature, "cosignature"],
    [originClaim, "origin"],
    [apart, "apart"],
    [places, "places"],
    [path, "words, up to 1024"],
    [tags, "words, up to 32"],
  ]).get(schema);
  if (named !== undefined) return named;
  switch (def.type) {
    case "optional":
      return `${formOf(def.innerType, name)}, or absent`;
    case "nullable":
      return `(${formOf(def.innerType, name)}, or null)`;
    case "array":
      return `${bounds} × ${formOf(def.element, name)}`;
    case "literal":
      return `"${def.values[0]}"`;
    case "enum":
      return Object.keys(def.entries)
        .map((one) => `"${one}"`)
        .join(" or ");
    case "boolean":
      return "true or false";
    case "number":
      return maximum === Number.MAX_SAFE_INTEGER ? "number" : `number, ${bounds}`;
    case "string":
      return `line, ${bounds}`;
    case "union":
      return "leaf or pruned";
    // Read one by one, in read-update.ts.
    case "unknown":
      return name === "withdraw" ? "route" : "announcement";
    default:
      throw new Error(`${name}: a form that the page has no word for: ${def.type}`);
  }
}
