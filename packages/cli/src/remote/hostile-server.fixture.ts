// A server that is somebody else's, and means harm: every text that it answers with moves cursors, hides, or pretends to be
// another line. What it answers to which message is the test's.

import type { ServerWebSocket } from "bun";
import { newBunWebSocketRpcSession, newHttpBatchRpcResponse, RpcTarget } from "capnweb";

/** Control, format and direction characters of every kind, in what looks like a name. */
export const EVIL =
  "ada\u001b[2J\u001b]0;owned\u0007\r\nFORGED  all is well\u009b31m\u202eevil\u2066\u200b\u2028\u{e0041}\u007f";

/** The value with every text in it turned evil; what tells variants apart stays. */
export function evil<T>(value: T): T {
  if (typeof value === "string") return `${value}${EVIL}` as T;
  if (Array.isArray(value)) return value.map(evil) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, evil(one)])) as T;
}

/** What is answered to `action.list`; a function throws the fault that it gives. */
export type Answers = (message: { readonly name: string; readonly data: unknown }) => unknown;

export interface HostileServer extends AsyncDisposable {
  readonly url: string;
}

export function hostileServer(
  answers: Answers,
  health: unknown = { node: "n-1", entries: 7, version: evil("0") },
): HostileServer {
  class Scope extends RpcTarget {
    applyAction({ resource, action, data }: Readonly<Record<string, unknown>>): unknown {
      return answers({ name: `${String(resource)}.${String(action)}`, data });
    }
  }
  class Api extends RpcTarget {
    connectionFromCli(): Scope {
      return new Scope();
    }
  }
  type Transport = ReturnType<typeof newBunWebSocketRpcSession>["transport"];
  const transports = new WeakMap<ServerWebSocket<undefined>, Transport>();
  const server = Bun.serve<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request, bun) {
      const { pathname } = new URL(request.url);
      if (pathname === "/healthz") return Response.json(health);
      if (request.headers.get("upgrade") === "websocket" && bun.upgrade(request, { data: undefined })) return undefined;
      return newHttpBatchRpcResponse(request, new Api(), { onSendError });
    },
    websocket: {
      open: (socket) =>
        void transports.set(socket, newBunWebSocketRpcSession(socket, new Api(), { onSendError }).transport),
      message: (socket, data) => transports.get(socket)?.dispatchMessage(data),
      close: (socket, code, reason) => transports.get(socket)?.dispatchClose(code, reason),
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, [Symbol.asyncDispose]: () => server.stop(true) };
}

/** With all that it holds: code, details, id. */
function onSendError(error: Error): Error {
  return error;
}
