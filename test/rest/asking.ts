// How the tests of this folder ask: by fetch, and by bytes on a socket where fetch would put a request in order first.

import { expect } from "bun:test";
import type { TestNode } from "../wire/node.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** As JSON; `undefined` where there is none. */
  readonly body: any;
}

export interface Asking {
  /** A text goes as it is; anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the node's administrator. `null`: nobody. */
  readonly as?: string | null;
}

export async function ask(node: TestNode, method: string, path: string, asking: Asking = {}): Promise<Answer> {
  const { body, headers = {}, as = node.admin } = asking;
  const response = await fetch(node.url + path, {
    method,
    headers: {
      ...(as === null ? {} : { authorization: `Bearer ${as}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer = {
    status: response.status,
    headers: response.headers,
    body: text === "" ? undefined : JSON.parse(text),
  };
  if (answer.status === 200 && method !== "HEAD") expectDescribed(node, path, answer.body);
  return answer;
}

/** Nobody checks results when they are given: here each has to be what its message, and so the description, says. */
function expectDescribed(node: TestNode, path: string, body: unknown): void {
  const [, resource, verb] = /^\/v1\/(\w+)\/(\w+)/.exec(path) ?? [];
  const route = node.orchestrator.composition.routes.get(`${resource}.${verb}`);
  const problems = route?.definition.result.safeParse(body).error?.issues ?? [];
  expect({ path, problems }).toEqual({ path, problems: [] });
}

/** The status and body of what a node answers to bytes. */
export async function askRaw(
  url: string,
  request: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const { hostname, port } = new URL(url);
  let text = "";
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    ...{ hostname, port: Number(port) },
    socket: {
      data(_, bytes) {
        text += bytes.toString("utf8");
      },
      close: () => resolve(),
    },
  });
  socket.write(request);
  await promise;
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]), text };
}
