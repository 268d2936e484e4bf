// This door before an orchestrator of tests, without a port: `Authorization: Bearer <name>` is that principal.

import { type Fault, fault } from "../fault/fault.ts";
import { kernelFaults } from "../fault/kernel-faults.ts";
import type { Principal } from "../message/message.ts";
import { NODE_GRANT } from "../message/message.ts";
import type { AnyPlugin, DoorContext } from "../plugin/plugin.ts";
import { defaultLimits, type SessionLimits } from "../rpc/limits.ts";
import { admits, type Setting, start } from "../testing/start.fixture.ts";
import { RestDoor } from "./rest-door.ts";

export interface Asking {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function restDoor(
  plugins: readonly AnyPlugin[],
  setting: Setting & { limits?: Partial<SessionLimits>; authenticate?: () => Promise<Principal | Fault> } = {},
) {
  const node = await start([admits(new Set(["eve"])), ...plugins], setting);
  const { hub, composition, reader } = node.orchestrator;
  const reported: unknown[] = [];
  const state = { stopping: false };
  const context: DoorContext = {
    reader,
    async authenticate(request) {
      const name = /^Bearer (\w+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
      if (setting.authenticate !== undefined) return setting.authenticate();
      return name === undefined ? fault("UNAUTHENTICATED", "no credential") : { principal: name, grant: NODE_GRANT };
    },
    submit: async ({ resource, action, data }, as, options = {}) =>
      hub.submit(composition.route(resource, action), data, as, options),
    statusOf: (code) => composition.faults.get(code)?.status ?? kernelFaults.INTERNAL.status,
    keepOpen() {},
    problem: () => {
      throw new Error("it makes its own");
    },
    refuse: () => {
      throw new Error("it makes its own");
    },
    stopping: new AbortController().signal,
    log: { debug() {}, info() {}, warn() {}, error() {} },
  };
  const door = new RestDoor({
    ...{ composition, context, version: "0.0.0", stopping: () => state.stopping },
    limits: { ...defaultLimits, ...setting.limits },
    report: (thrown) => reported.push(thrown),
  });

  async function ask(method: string, path: string, { body, headers = {} }: Asking = {}) {
    const request = new Request(`http://node${path}`, {
      method,
      headers: {
        authorization: "Bearer ada",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const response = await door.fetch(request);
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
  }
  return { ...node, door, ask, reported, state };
}
