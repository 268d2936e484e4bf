// Budgets count characters, and sockets bytes: letters of three bytes end no session earlier.

import { expect, test } from "bun:test";
import { serve } from "@capstan/orchestrator";
import { connect } from "@capstan/orchestrator/client";
import { credentialDigest } from "../auth/credential.ts";
import { protocol, startHub } from "../hub.fixture.ts";
import type { StandardMessages } from "../standard.ts";

test("answers of letters of three bytes are sent at once, as others are", async () => {
  const wide = "語".repeat(950_000);
  const { hub, app } = await startHub({ protocols: [protocol("wide", () => wide)] });
  const server = serve(hub, { listen: "127.0.0.1:0", limits: { outboundBytes: 3_000_000 } });
  const token = "0123456789abcdef0123456789abcdef";
  await app.grant.create({ principal: "ada", allow: ["*"], credential: credentialDigest(token) });
  await app.action.register({ name: "a", protocol: "wide" });
  const { scope, close } = connect<StandardMessages>({ url: server.url, as: { connectionFromCli: token } });
  const answers = await Promise.all(
    [1, 2, 3].map(async () => (await scope.action.perform({ name: "a" })) as { output: unknown }),
  );
  expect(answers.every(({ output }) => output === wide)).toBe(true);
  close();
  await server.stop();
});
