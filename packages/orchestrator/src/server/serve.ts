// The node's one port: capnweb at /rpc over WebSocket, and the HTTP of app.ts beside it. It holds nothing that a restart
// would miss.

import type { Server, ServerWebSocket } from "bun";
import { RpcSession } from "capnweb";
import { fault } from "../fault/fault.ts";
import type { Orchestrator } from "../orchestrator.ts";
import { Turns } from "../pipeline/turns.ts";
import type { Logger } from "../plugin/plugin.ts";
import { SessionBudget } from "../rpc/budget.ts";
import { onSendError } from "../rpc/errors.ts";
import type { SessionLimits } from "../rpc/limits.ts";
import { WebSocketTransport } from "../rpc/web-socket-transport.ts";
import { checkExposure, DEFAULT_LISTEN, listenFault, parseAddress } from "./address.ts";
import { refusal } from "./admission.ts";
import { httpApp } from "./app.ts";
import { publicApiClass } from "./session.ts";

export interface ServeOptions {
  /** `host:port`; port 0 takes any. Default 127.0.0.1:7420. */
  readonly listen?: string;
  /** The operator wants an address that others can reach. */
  readonly public?: boolean;
  readonly allowHosts?: readonly string[];
  readonly allowOrigins?: readonly string[];
  readonly limits?: Partial<SessionLimits>;
  readonly logger?: Logger;
}

export interface Serving {
  /** `http://127.0.0.1:7420` */
  readonly url: string;
  readonly paths: readonly string[];
  /** Takes no new connections, ends the open ones, and stops the orchestrator. */
  stop(): Promise<void>;
}

interface SocketData {
  transport: WebSocketTransport | undefined;
}

/** RFC 6455 §7.4.1: going away. */
const CLOSE_GOING_AWAY = 1001;
const DRAIN_MS = 10_000;
/** Bun cuts a request that is silent for longer, 10 s by default: a batch may wait 30 s, and one that reads the log's tail 60 s. */
const IDLE_S = 90;
/** A silent WebSocket is pinged by then; one that does not answer is closed. */
const SOCKET_IDLE_S = 120;
/** Of the loop: a batch that then still waits, for an event or for a peer that does not read, is cut off. */
const LAST_TURNS = 1000;

/** @throws FaultError PORT_IN_USE, ADDRESS_REFUSED, CONFIG_UNKNOWN, COMPOSITION_INVALID */
export function serve(orchestrator: Orchestrator, options: ServeOptions = {}): Serving {
  const address = parseAddress(options.listen ?? DEFAULT_LISTEN);
  checkExposure(address, options.public === true, orchestrator);
  const { allowHosts = [], allowOrigins = [], limits, logger } = options;
  const admission = { host: address.host, allowHosts, allowOrigins };
  const { frameBytes, outboundBytes } = new SessionBudget(limits).limits;
  const sockets = new Set<ServerWebSocket<SocketData>>();
  const Api = publicApiClass(orchestrator);
  let stopping = false;

  function report(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    logger?.error({ error: text }, "an answer failed");
  }

  const app = httpApp({ orchestrator, Api, limits, stopping: () => stopping, report });

  function fetch(request: Request, server: Server<SocketData>): Response | undefined | Promise<Response> {
    const refused = refusal(request, admission);
    if (refused !== undefined) return Response.json(refused, { status: 403 });
    const upgrades = request.headers.get("upgrade")?.toLowerCase() === "websocket";
    if (!upgrades || new URL(request.url).pathname !== "/rpc") return app.fetch(request);
    if (stopping) return Response.json(fault("STOPPING", "the node is shutting down"), { status: 503 });
    return server.upgrade(request, { data: { transport: undefined } })
      ? undefined
      : new Response(null, { status: 426 });
  }

  function open(socket: ServerWebSocket<SocketData>): void {
    sockets.add(socket);
    const budget = new SessionBudget(limits);
    const transport = new WebSocketTransport(socket, { budget, durability: orchestrator.committer });
    socket.data.transport = transport;
    const main = new Api({ orchestrator, budget, turns: new Turns() });
    new RpcSession(transport, main, { onSendError: (error) => onSendError(error, report) });
  }

  function listen(): Server<SocketData> {
    try {
      return Bun.serve<SocketData>({
        hostname: address.hostname,
        port: address.port,
        idleTimeout: IDLE_S,
        // Bun's own refusal says nothing: it is for what is far beyond the one that does.
        maxRequestBodySize: frameBytes * 16,
        fetch,
        websocket: {
          maxPayloadLength: frameBytes * 4,
          backpressureLimit: outboundBytes * 2,
          idleTimeout: SOCKET_IDLE_S,
          open,
          message: (socket, data) => socket.data.transport?.dispatchMessage(data),
          close(socket, code, reason) {
            sockets.delete(socket);
            socket.data.transport?.dispatchClose(code, reason);
          },
        },
      });
    } catch (thrown) {
      throw listenFault(thrown, address);
    }
  }

  const server = listen();

  async function stop(): Promise<void> {
    stopping = true;
    await orchestrator.stop({ graceMs: DRAIN_MS });
    // What was drained has been answered; its frames leave within the next turns, and the batches with their last call.
    for (let turns = 0; turns < 2 || (server.pendingRequests > 0 && turns < LAST_TURNS); turns++) await nextTurn();
    for (const socket of sockets) socket.close(CLOSE_GOING_AWAY, "STOPPING");
    await server.stop(true);
  }

  return { url: `http://${address.host}:${server.port}`, paths: app.paths, stop };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
