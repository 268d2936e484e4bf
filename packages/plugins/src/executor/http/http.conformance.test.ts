import { describe, expect, test } from "bun:test";
import { protocolConformance } from "../conformance/protocol-conformance.ts";
import { http } from "./http.ts";

const servers: Bun.Server<undefined>[] = [];

function serve(fetch: (request: Request) => Response | Promise<Response>): string {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch, idleTimeout: 0 });
  servers.push(server);
  return `http://127.0.0.1:${server.port}`;
}

const echo = async (request: Request) =>
  Response.json({
    path: request.url.replace(/^.*?\/\/[^/]*/, ""),
    key: request.headers.get("x-key"),
    body: await request.text(),
  });

protocolConformance(
  { describe, test, expect },
  {
    protocol: () => http({ allow: ["127.0.0.1", "gone.test"], resolve: async () => ["127.0.0.1"] }),
    works: () => ({
      configuration: { url: `${serve(echo)}/users/{{input.id}}`, method: "POST", body: { name: "{{input.name}}" } },
      input: { id: 7, name: "Ada" },
      output: { path: "/users/7", key: null, body: '{"name":"Ada"}' },
    }),
    invalid: [
      { configuration: {}, says: "url" },
      { configuration: { url: "http://{{input.host}}/" }, says: "url" },
      { configuration: { url: "https://example.com/", headers: { Host: "x" } }, says: "Host" },
      { configuration: { url: "https://example.com/{{oops}}" }, says: "oops" },
      { configuration: { url: "https://example.com/", maxBytes: 0 }, says: "maxBytes" },
    ],
    unreachable: async () => {
      const url = serve(echo);
      await servers.pop()?.stop(true);
      return { configuration: { url: url.replace("127.0.0.1", "gone.test") }, code: "HTTP_UNREACHABLE" };
    },
    hangs: () => ({ configuration: { url: serve(() => new Promise(() => {})) } }),
    fails: () => ({
      configuration: { url: serve(() => new Response("no", { status: 403 })) },
      code: "HTTP_STATUS",
    }),
    leaks: (secret) => ({
      configuration: {
        url: serve(echo),
        method: "PUT",
        headers: { "X-Key": secret },
        query: { key: secret },
        body: { key: secret },
      },
    }),
    notJson: () => ({ configuration: { url: serve(() => new Response("<html>")) }, code: "HTTP_RESPONSE_INVALID" }),
    after: async () => {
      for (const server of servers.splice(0)) await server.stop(true);
    },
  },
);
