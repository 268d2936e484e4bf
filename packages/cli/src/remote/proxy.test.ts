// The environment's proxy is for other machines: what is asked of a server here does not pass it, its credential least of all.

import { expect, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { directly } from "../settings/this-machine.ts";
import { ask } from "./ask.ts";
import { hostileServer } from "./hostile-server.fixture.ts";

test("a server on this machine is asked past the environment's proxy", async () => {
  const seen: string[] = [];
  const proxy = Bun.serve({
    ...{ port: 0, hostname: "127.0.0.1" },
    async fetch(request) {
      seen.push(await request.text());
      return new Response("", { status: 502 });
    },
  });
  await using server = hostileServer(() => ({ entries: 1 }));
  const before = process.env.http_proxy;
  process.env.http_proxy = String(proxy.url);
  try {
    const target = { url: server.url, token: "secret", administrator: true, modules: [] };
    expect(await ask(target, "log.head")).toEqual({ entries: 1 });
    expect(seen).toEqual([]);
  } finally {
    if (before === undefined) delete process.env.http_proxy;
    else process.env.http_proxy = before;
    await proxy.stop(true);
  }
});

test("an address of this machine is one that no other has", () => {
  for (const { address, family } of Object.values(networkInterfaces()).flatMap((all) => all ?? []))
    if (family === "IPv4") expect(directly(`http://${address}:7420`)).toEqual({ proxy: false });
  for (const host of ["203.0.113.7", "berlin.example", "[fe80::1]", "0.0.0.0", "127.0.0.1.example"])
    expect(directly(`http://${host}:7420`)).toEqual({});
});
