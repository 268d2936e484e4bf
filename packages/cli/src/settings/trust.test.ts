// What the server of a data directory is known by: its very certificate, and nothing else that its authority has signed.

import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { certificatePin } from "@capstan/orchestrator";
import { testIo } from "../test-io.ts";
import { CERTIFICATE, ISSUED, ISSUED_KEY, KEY } from "./self-signed.fixture.ts";
import type { ServerFile } from "./server-file.ts";
import { tlsOptions, trustOf } from "./trust.ts";

const { cwd } = testIo();
const file = (name: string, text: string): string => {
  writeFileSync(join(cwd, name), text);
  return join(cwd, name);
};
// As an authority gives it out: what it signed, and itself.
const chain = file("chain.pem", ISSUED + CERTIFICATE);

/** What a request and a session get of a server under that certificate. */
async function asked(tls: { readonly cert: string; readonly key: string }, server: Partial<ServerFile>) {
  const got: string[] = [];
  const serving = Bun.serve({
    ...{ port: 0, hostname: "127.0.0.1", tls },
    fetch(request, bun) {
      got.push(request.headers.get("authorization") ?? "a session");
      return bun.upgrade(request) ? undefined : new Response();
    },
    websocket: { message() {} },
  });
  const trust = trustOf({ url: "", pid: 1, node: "n-1", modules: [], ...server });
  const options = { tls: trust && tlsOptions(trust) };
  try {
    await fetch(serving.url, { ...options, headers: { authorization: "secret" } } as RequestInit).catch(() => {});
    await new Promise((resolve) => {
      const socket = new WebSocket(String(serving.url).replace("https", "wss"), options as never);
      socket.onopen = socket.onerror = resolve;
    });
    return got;
  } finally {
    await serving.stop(true);
  }
}

test("another certificate of the same authority is not the server's own, and is told nothing", async () => {
  const own = { cert: ISSUED + CERTIFICATE, key: ISSUED_KEY };
  expect(await asked(own, { certificate: chain })).toEqual(["secret", "a session"]);
  expect(await asked({ cert: CERTIFICATE, key: KEY }, { certificate: chain })).toEqual([]);
});

test("a renewed file is of the next start: until then it is the certificate that the server began with", async () => {
  const began = { pin: certificatePin(ISSUED), certificate: file("renewed.pem", CERTIFICATE) };
  expect(await asked({ cert: ISSUED + CERTIFICATE, key: ISSUED_KEY }, began)).toEqual(["secret", "a session"]);
  expect(await asked({ cert: CERTIFICATE, key: KEY }, began)).toEqual([]);
});
