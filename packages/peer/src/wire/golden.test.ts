// The golden frames: bytes that every version of this protocol's first form sends and takes. A failure here is a change that
// another implementation would notice.

import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { claimBytes } from "../origin/claim-text.ts";
import { readChunk } from "../origin/read-chunk.ts";
import { verifySignature } from "../proof/identity.ts";
import { acceptorsProver, diallersProver, GOLDEN, golden } from "./golden.fixture.ts";
import { type Message, message } from "./message.ts";
import { decodeFrame, encodeFrame, FRAME_BYTES } from "./read-message.ts";
import { readUpdate } from "./read-update.ts";

if (process.env.GOLDEN === "write") {
  for (const [name, one] of Object.entries(golden))
    writeFileSync(join(GOLDEN, `${name}.frame`), `${encodeFrame(one)}\n`);
}

const frameOf = (name: string) => readFileSync(join(GOLDEN, `${name}.frame`), "utf8").trimEnd();

function decoded<T extends Message["type"]>(name: string, type: T): Extract<Message, { type: T }> {
  const reading = decodeFrame(frameOf(name), FRAME_BYTES.proved);
  if (!reading.ok || reading.message.type !== type) throw new Error(`${name} is no ${type}`);
  return reading.message as Extract<Message, { type: T }>;
}

test("there is a golden frame of every message, and no file that is none", () => {
  const files = readdirSync(GOLDEN).filter((file) => file.endsWith(".frame"));
  expect(files.sort()).toEqual(
    Object.keys(golden)
      .map((name) => `${name}.frame`)
      .sort(),
  );
  const types = new Set(Object.values(golden).map(({ type }) => type));
  expect([...types].sort()).toEqual(message.options.map(({ shape }) => shape.type.value).sort());
});

describe.each(Object.keys(golden))("%s", (name) => {
  test("is what we send", () => {
    expect(encodeFrame(golden[name] as Message)).toBe(frameOf(name));
  });

  test("is read, and written again byte by byte", () => {
    const reading = decodeFrame(frameOf(name), FRAME_BYTES.proved);
    expect(reading.ok && encodeFrame(reading.message)).toBe(frameOf(name));
  });
});

test("the golden proofs prove the golden offers", () => {
  const exchange = { dialler: decoded("open-dialler", "open"), acceptor: decoded("open-acceptor", "open") };
  const first = decoded("proof-dialler", "proof");
  expect(acceptorsProver.verify("dialler", exchange, first)).toBe(true);
  expect(diallersProver.verify("acceptor", exchange, decoded("proof-acceptor", "proof"), first)).toBe(true);
});

test.each(["update", "update-internal"])("what the golden %s announces is signed by its origin", (name) => {
  const reading = readUpdate(decoded(name, "update"), { updateRoutes: 10 });
  if (!reading.ok) throw new Error(reading.text);
  expect(reading.update.malformed).toEqual([]);
  for (const announcement of reading.update.announce) {
    const read = readChunk(announcement);
    if (!read.ok) throw new Error(read.text);
    const { claim, root } = read.chunk;
    expect(verifySignature(claim.key, claimBytes(claim, root), claim.signature)).toBe(true);
  }
});
