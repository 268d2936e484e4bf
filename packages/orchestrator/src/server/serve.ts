// The node's one port: capnweb at /rpc over WebSocket, and the HTTP of app.ts beside it. It holds nothing that a restart
// would miss.

import type { Server, ServerWebSocket } from "bun";
import { RpcSession } from "capnweb";
import { fault, faultOf } from "../fault/fault.ts";
import { measureLoopDelay } from "../observability/loop-delay.ts";
import type { Orchestrator } from "../orchestrator.ts";
import { Turns } from "../pipeline/turns.ts";
import type { Logger } from "../plugin/plugin.ts";
import { SessionBudget } from "../rpc/budget.ts";
import { onSendError } from "../rpc/errors.ts";
import type { SessionLimits } from "../rpc/limits.ts";
import { WebSocketTransport } from "../rpc/web-socket-transport.ts";
import type { LiveSession } from "../scope/lives.ts";
import { checkExposure, DEFAULT_LISTEN, listenFault, parseAddress } from "./address.ts";
import { isLoopback, refusal } from "./admission.ts";
import { AnonymousSockets } from "./anonymous-sockets.ts";
import { httpApp } from "./app.ts";
import { publicApiClass } from "./session.ts";
import { readTls, type TlsFiles } from "./tls.ts";

export interface ServeOptions {
  /** `host:port`; port 0 takes any. Default 127.0.0.1:7420. */
  readonly listen?: string;
  /** The operator wants an address that others can reach. */
  readonly public?: boolean;
  readonly allowHosts?: readonly string[];
  readonly allowOrigins?: readonly string[];
  readonly limits?: Partial<SessionLimits>;
  /** Listens with TLS: https and wss. Paths of PEM files, which are read at the start. */
  readonly tls?: TlsFiles | undefined;
  readonly logger?: Logger;
}

export interface Serving {
  /** `http://127.0.0.1:7420`; `https` with TLS. */
  readonly url: string;
  readonly paths: readonly string[];
  /** Takes no new connections, ends the open ones, and stops the orchestrator. */
  stop(): Promise<void>;
}

interface SocketData {
  transport: WebSocketTransport | undefined;
  lives: LiveSession | undefined;
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

/** @throws FaultError PORT_IN_USE, ADDRESS_REFUSED, CONFIG_UNKNOWN, COMPOSITION_INVALID, TLS_INVALID */
export function serve(orchestrator: Orchestrator, options: ServeOptions = {}): Serving {
  const address = parseAddress(options.listen ?? DEFAULT_LISTEN);
  checkExposure(address, options.public === true, orchestrator);
  const { allowHosts = [], allowOrigins = [], limits, logger } = options;
  const tls = options.tls === undefined ? undefined : readTls(options.tls, Date.now(), logger);
  const loopback = isLoopback(address.hostname);
  if (!loopback && tls === undefined) {
    const text = "others can reach the node, and what passes is not encrypted: credentials included; see --tls-cert";
    logger?.warn({ listen: address.hostname }, text);
  }
  const admission = { host: address.host, allowHosts, allowOrigins };
  const { frameBytes, outboundBytes } = new SessionBudget(limits).limits;
  const { metrics } = orchestrator;
  const sockets = new Set<ServerWebSocket<SocketData>>();
  const anonymous = new AnonymousSockets<ServerWebSocket<SocketData>>();
  const Api = publicApiClass(orchestrator);
  let stopping = false;

  function report(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    logger?.error({ error: text }, "an answer failed");
  }

  const ending = new AbortController();
  const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };
  const app = httpApp({
    ...{
      orchestrator,
      Api,
      limits,
      report,
      stopping: () => stopping,
      stopped: ending.signal,
      logger: logger ?? silent,
    },
    // Whoever serves it under other names has a proxy before it, and others behind that.
    local: loopback && allowHosts.length === 0,
    keepOpen: (request) => server.timeout(request, 0),
  });

  function fetch(request: Request, server: Server<SocketData>): Response | undefined | Promise<Response> {
    // Without a host, or with what is none, there is no URL that anything could be looked up by.
    if (!URL.canParse(request.url)) {
      return Response.json(fault("REQUEST_MALFORMED", "the Host header is missing, or is no host"), { status: 400 });
    }
    const refused = refusal(request, admission);
    if (refused !== undefined) return app.refuse(request, refused);
    const upgrades = request.headers.get("upgrade")?.toLowerCase() === "websocket";
    if (!upgrades || new URL(request.url).pathname !== "/rpc") return app.fetch(request);
    if (stopping) return Response.json(fault("STOPPING", "the node is shutting down"), { status: 503 });
    return server.upgrade(request, { data: { transport: undefined, lives: undefined } })
      ? undefined
      : new Response(null, { status: 426 });
  }

  function open(socket: ServerWebSocket<SocketData>): void {
    sockets.add(socket);
    const budget = new SessionBudget(limits);
    anonymous.opened(socket, budget);
    metrics.meters.sessionsOpen++;
    metrics.meters.sessionsOpened++;
    metrics.watch(budget);
    const transport = new WebSocketTransport(socket, { budget, durability: orchestrator.committer });
    socket.data.transport = transport;
    const lives = orchestrator.lives.session(true);
    socket.data.lives = lives;
    const main = new Api({ orchestrator, budget, lives, turns: new Turns() });
    new RpcSession(transport, main, { onSendError: (error) => onSendError(error, report) });
  }

  function listen(): Server<SocketData> {
    try {
      return Bun.serve<SocketData>({
        hostname: address.hostname,
        port: address.port,
        ...(tls === undefined ? {} : { tls }),
        idleTimeout: IDLE_S,
        // Bun's own refusal says nothing: it is for what is far beyond the one that does.
        maxRequestBodySize: frameBytes * 16,
        // Bun's own page of an error shows whoever asks what it found in the sources.
        development: false,
        // Bun lets another server listen beside this one where it does not develop: a port in use has to be refused.
        reusePort: false,
        fetch,
        error(thrown) {
          report(thrown);
          return Response.json(faultOf(thrown), { status: 500 });
        },
        websocket: {
          maxPayloadLength: frameBytes * 4,
          backpressureLimit: outboundBytes * 2,
          idleTimeout: SOCKET_IDLE_S,
          open,
          message: (socket, data) => socket.data.transport?.dispatchMessage(data),
          close(socket, code, reason) {
            sockets.delete(socket);
            anonymous.closed(socket);
            metrics.meters.sessionsOpen--;
            socket.data.transport?.dispatchClose(code, reason);
            socket.data.lives?.end("its session ended");
          },
        },
      });
    } catch (thrown) {
      throw listenFault(thrown, address);
    }
  }

  const server = listen();
  const loopDelay = measureLoopDelay();
  metrics.tellLoopDelay(loopDelay.read);

  async function stop(): Promise<void> {
    stopping = true;
    ending.abort();
    await orchestrator.stop({ graceMs: DRAIN_MS });
    // What was drained has been answered; its frames leave within the next turns, and the batches with their last call.
    for (let turns = 0; turns < 2 || (server.pendingRequests > 0 && turns < LAST_TURNS); turns++) await nextTurn();
    for (const socket of sockets) socket.close(CLOSE_GOING_AWAY, "STOPPING");
    await server.stop(true);
    metrics.tellLoopDelay(undefined);
    loopDelay.stop();
  }

  return { url: `${tls === undefined ? "http" : "https"}://${address.host}:${server.port}`, paths: app.paths, stop };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
