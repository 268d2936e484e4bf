// The anchor: capnweb alone, as its makers ship it, answering with what it was given. No pipeline, no log, no authority.

import { type BunWebSocketTransport, newBunWebSocketRpcSession, RpcTarget } from "capnweb";
import { cpuMicros } from "./machine.ts";
import { answering } from "./worker.ts";

class Echo extends RpcTarget {
  echo(data: unknown): unknown {
    return data;
  }
}

interface SocketData {
  transport: BunWebSocketTransport<SocketData> | undefined;
}

const server = Bun.serve<SocketData>({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request, bun) =>
    bun.upgrade(request, { data: { transport: undefined } }) ? undefined : new Response(null, { status: 426 }),
  websocket: {
    open(socket) {
      socket.data.transport = newBunWebSocketRpcSession(socket, new Echo()).transport;
    },
    message: (socket, data) => socket.data.transport?.dispatchMessage(data),
    close: (socket, code, reason) => socket.data.transport?.dispatchClose(code, reason),
  },
});

answering({ cpu: cpuMicros, address: () => ({ url: `http://127.0.0.1:${server.port}/rpc` }) });
