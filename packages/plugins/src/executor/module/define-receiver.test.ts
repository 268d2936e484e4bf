// Receivers as operators write them, and modules of theirs through the pipeline.

import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { faultFrom, startHub } from "../../hub.fixture.ts";
import { isActionDefinition } from "./define-action.ts";
import { defineReceiver, isReceiverDefinition } from "./define-receiver.ts";

const modules = mkdtempSync(join(tmpdir(), "capstan-receiver-"));
afterAll(() => rmSync(modules, { recursive: true }));

test("a receiver takes anything and may nothing, if nothing else is said", () => {
  const receiver = defineReceiver({ run() {} });
  expect(receiver).toMatchObject({ may: [], timeout: undefined });
  expect(receiver.input.parse({ a: 1 })).toEqual({ a: 1 });
  expect(isReceiverDefinition(receiver)).toBe(true);
  expect(isActionDefinition(receiver)).toBe(false);
  expect(isReceiverDefinition({ ...receiver, may: [] })).toBe(true);
  for (const other of [undefined, null, {}, () => {}, "receiver"]) expect(isReceiverDefinition(other)).toBe(false);
});

test("types flow from its input", () => {
  const seen: string[] = [];
  const receiver = defineReceiver({
    input: z.object({ title: z.string() }),
    may: ["action.perform:index"],
    timeout: 1000,
    run({ title }, { publication }) {
      seen.push(`${publication.topic} ${title}`);
    },
  });
  receiver.run({ title: "A" }, { publication: { topic: "action.a" } } as never);
  expect(seen).toEqual(["action.a A"]);
});

test.each([
  [{}, "run must be a function"],
  [{ input: { type: "object" }, run() {} }, "input must be a zod schema"],
  [{ may: "all", run() {} }, "may must be a list"],
  [{ may: ["a b"], run() {} }, "may must be a list"],
  [{ timeout: 0, run() {} }, "timeout must be milliseconds"],
])("%j is told what is wrong with it", (options, says) => {
  expect(() => defineReceiver(options as never)).toThrow(`defineReceiver: ${says}`);
});

test("a receiver's module is no action: registering one says so", async () => {
  const text = 'import { defineReceiver } from "@capstan/plugins";\nexport default defineReceiver({ run() {} });\n';
  writeFileSync(join(modules, "mail.ts"), text);
  const { app } = await startHub({ modules });
  expect(await faultFrom(app.action.register({ name: "mail", configuration: { module: "mail.ts" } }))).toMatchObject({
    code: "MODULE_INVALID",
    message: "mail: that is a receiver, and no action; use receiver.register",
  });
  await app.receiver.register({ name: "mail", configuration: { module: "mail.ts" } });
});
