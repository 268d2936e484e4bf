// A node that takes sessions over iroh: who it is there, what it refuses to be, and how it ends.

import { expect, test } from "bun:test";
import { getPublicKeyAsync } from "@noble/ed25519";
import { z } from "zod";
import { connect, health } from "../client.ts";
import { irohDial } from "../iroh.ts";
import { query } from "../message/definition.ts";
import { createOrchestrator, type Orchestrator } from "../orchestrator.ts";
import { definePlugin } from "../plugin/plugin.ts";
import { done, next } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { type ServeOptions, serve } from "./serve.ts";

/** Everybody may do everything. */
const open = definePlugin({
  name: "open",
  adds: [authority],
  messages: {
    echo: { say: query({ summary: "Say it again.", data: z.strictObject({ text: z.string() }), result: z.string() }) },
  },
  decide({ message, envelope: { principal, grant } }) {
    const adds = {
      authority: { principal, grant, reads: () => true, writes: () => true, allows: () => undefined },
    };
    return message.resource === "echo" ? done({ data: (message.data as { text: string }).text, adds }) : next({ adds });
  },
  connections: {
    connectionFromName: {
      input: z.string(),
      open: () => false,
      verify: (name) => ({ principal: String(name), grant: String(name) }),
    },
  },
});

const secretKey = new Uint8Array(32).fill(9);
const dial = irohDial();

async function node(iroh: Partial<NonNullable<ServeOptions["iroh"]>> = {}) {
  const orchestrator = (await createOrchestrator({ plugins: [open] })) as unknown as Orchestrator;
  try {
    return { orchestrator, serving: serve(orchestrator, { listen: "127.0.0.1:0", iroh: { secretKey, ...iroh } }) };
  } catch (thrown) {
    await orchestrator.stop();
    throw thrown;
  }
}

test("a node is found by its key, answers who asks without a credential how it is, and serves who has one", async () => {
  const { orchestrator, serving } = await node();
  const url = (await serving.iroh) as string;
  const key = Buffer.from(await getPublicKeyAsync(secretKey)).toString("hex");
  expect(url).toMatch(new RegExp(`^iroh://${key}\\?addr=127\\.0\\.0\\.1:\\d+$`));
  expect(await health({ url, dial })).toEqual({ node: "n-embedded", entries: expect.any(Number), ready: true });
  const { scope, close, onClose } = connect({ url, as: { connectionFromName: "ada" }, dial });
  expect(await (scope as any).echo.say({ text: "hello" })).toBe("hello");
  expect(orchestrator.metrics.meters.sessionsOpened).toBe(2);
  const closed = new Promise<unknown>((resolve) => onClose(resolve));
  await serving.stop();
  expect(String(await closed)).toContain("1001 STOPPING");
  expect(orchestrator.metrics.meters.sessionsOpen).toBe(0);
  close();
});

test("an address that is taken is a fault, and what listens for HTTP goes on", async () => {
  const first = await node();
  const port = new URL(`http:${((await first.serving.iroh) as string).split("addr=")[1]?.replace(/^/, "//")}`).port;
  const second = await node({ listen: `127.0.0.1:${port}` });
  await expect(second.serving.iroh as Promise<string>).rejects.toMatchObject({ code: "PORT_IN_USE" });
  expect((await fetch(`${second.serving.url}/healthz`)).status).toBe(200);
  await Promise.all([first.serving.stop(), second.serving.stop()]);
});

test.each([
  [{ listen: "0.0.0.0:0" }, "ADDRESS_REFUSED"],
  [{ relays: ["default"] }, "ADDRESS_REFUSED"],
  [{ relays: ["relay"] }, "CONFIG_UNKNOWN"],
  [{ listen: "nowhere" }, "CONFIG_UNKNOWN"],
])("%j is refused before anything listens", async (iroh, code) => {
  await expect(node(iroh)).rejects.toMatchObject({ code });
});
