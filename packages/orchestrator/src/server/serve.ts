// The node's one port: RPC over WebSockets at /rpc, and HTTP (app.ts); where asked for, the same sessions over iroh as well. It holds no state
// that a restart would lose.

import type { Server, ServerWebSocket } from "bun";
import { fault, faultOf } from "../fault/fault.ts";
import { measureLoopDelay } from "../observability/loop-delay.ts";
import type { Orchestrator } from "../orchestrator.ts";
import type { Logger } from "../plugin/plugin.ts";
import { SessionBudget } from "../rpc/budget.ts";
import type { SessionLimits } from "../rpc/limits.ts";
import type { IrohListener } from "../transport/iroh/listener.ts";
import { CLOSE_GOING_AWAY } from "../transport/link.ts";
import { WebSocketLink } from "../transport/web-socket/web-socket-link.ts";
import { checkExposure, DEFAULT_LISTEN, listenFault, parseAddress } from "./address.ts";
import { isLoopback, refusal } from "./admission.ts";
import { httpApp } from "./app.ts";
import { type CallerSession, CallerSessions } from "./caller-sessions.ts";
import { type IrohOptions, prepareIroh } from "./iroh.ts";
import { publicApiClass } from "./session.ts";
import { readTls, type TlsFiles } from "./tls.ts";

/** How a node is served. */
export interface ServeOptions {
  /** `host:port`; port 0 takes any. Default 127.0.0.1:7420. */
  readonly listen?: string;
  /** Allows an address that other machines can reach. */
  readonly public?: boolean;
  readonly allowHosts?: readonly string[];
  readonly allowOrigins?: readonly string[];
  readonly limits?: Partial<SessionLimits>;
  /** Listens with TLS (https and wss). The paths of PEM files, which are read at the start. */
  readonly tls?: TlsFiles | undefined;
  /** Accepts sessions over iroh too. */
  readonly iroh?: IrohOptions | undefined;
  readonly logger?: Logger;
}

/** A node that is being served. */
export interface Serving {
  /** `http://127.0.0.1:7420`; `https` with TLS. */
  readonly url: string;
  /**
   * Where iroh was asked for: resolves to `iroh://<public key>?addr=127.0.0.1:7420` once it listens. Rejects with a FaultError:
   * IROH_UNAVAILABLE, PORT_IN_USE, ADDRESS_REFUSED.
   */
  readonly iroh?: Promise<string>;
  readonly paths: readonly string[];
  /** Takes no new connections, ends the open ones, and stops the orchestrator. */
  stop(): Promise<void>;
}

interface SocketData {
  session: CallerSession | undefined;
}

const DRAIN_MS = 10_000;
/** Idle timeout of requests, in seconds; Bun's default is 10. A batch may wait 30 s, and one that reads the log's tail 60 s. */
const IDLE_S = 90;
/** Idle timeout of WebSockets, in seconds: Bun pings them before, and closes one that does not answer. */
const SOCKET_IDLE_S = 120;
/** How many turns of the event loop a stop waits for open requests. One that still waits then, for an event or a slow reader, is cut off. */
const LAST_TURNS = 1000;

/** @throws FaultError PORT_IN_USE, ADDRESS_REFUSED, CONFIG_UNKNOWN, COMPOSITION_INVALID, TLS_INVALID */
export function serve(orchestrator: Orchestrator, options: ServeOptions = {}): Serving {
  const address = parseAddress(options.listen ?? DEFAULT_LISTEN);
  checkExposure(address, options.public === true, orchestrator);
  const { allowHosts = [], allowOrigins = [], limits, logger } = options;
  const overIroh = options.iroh === undefined ? undefined : prepareIroh(orchestrator, options.iroh, options, address);
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
    // Other host names mean a proxy in front, and so other machines behind it.
    local: loopback && allowHosts.length === 0,
    keepOpen: (request) => server.timeout(request, 0),
  });

  function fetch(request: Request, server: Server<SocketData>): Response | undefined | Promise<Response> {
    // Without a valid Host header there is no URL to route by.
    if (!URL.canParse(request.url)) {
      return Response.json(fault("REQUEST_MALFORMED", "the Host header is missing, or is no host"), { status: 400 });
    }
    const refused = refusal(request, admission);
    if (refused !== undefined) return app.refuse(request, refused);
    const upgrades = request.headers.get("upgrade")?.toLowerCase() === "websocket";
    if (!upgrades || new URL(request.url).pathname !== "/rpc") return app.fetch(request);
    if (stopping) return Response.json(fault("STOPPING", "the node is shutting down"), { status: 503 });
    return server.upgrade(request, { data: { session: undefined } }) ? undefined : new Response(null, { status: 426 });
  }

  const sessions = new CallerSessions({ orchestrator, Api, limits, report });

  function open(socket: ServerWebSocket<SocketData>): void {
    sockets.add(socket);
    socket.data.session = sessions.arrived(socket).opened(new WebSocketLink(socket));
  }

  function received({ data: { session } }: ServerWebSocket<SocketData>, data: string | Buffer): void {
    // Bun itself closes a socket whose text is not UTF-8 (1007); binary has no meaning here.
    if (typeof data === "string") session?.received(data);
    else session?.invalid(fault("FRAME_INVALID", "binary frames are not taken; send JSON text"));
  }

  function listen(): Server<SocketData> {
    try {
      return Bun.serve<SocketData>({
        hostname: address.hostname,
        port: address.port,
        ...(tls === undefined ? {} : { tls }),
        idleTimeout: IDLE_S,
        // Bun refuses without an explanation: its limit is far above ours, which explains.
        maxRequestBodySize: frameBytes * 16,
        // Bun's development error page would show our sources.
        development: false,
        // Otherwise Bun lets two servers share a port outside of development; a port in use must be refused.
        reusePort: false,
        fetch,
        error(thrown) {
          report(thrown);
          return Response.json(faultOf(thrown), { status: 500 });
        },
        websocket: {
          maxPayloadLength: frameBytes * 4,
          // In bytes: what may be unsent, and as much again in one write, in letters of three bytes. Past it Bun drops frames.
          backpressureLimit: outboundBytes * 3 * 2,
          idleTimeout: SOCKET_IDLE_S,
          open,
          message: received,
          close(socket, code, reason) {
            sockets.delete(socket);
            socket.data.session?.closed(code, reason);
          },
        },
      });
    } catch (thrown) {
      throw listenFault(thrown, address);
    }
  }

  const server = listen();
  const irohListener = overIroh?.(sessions);
  const loopDelay = measureLoopDelay();
  metrics.tellLoopDelay(loopDelay.read);

  async function stop(): Promise<void> {
    stopping = true;
    ending.abort();
    await orchestrator.stop({ graceMs: DRAIN_MS });
    // Calls that were waited for are answered; their frames leave within the next turns, and batches after their last call.
    for (let turns = 0; turns < 2 || (server.pendingRequests > 0 && turns < LAST_TURNS); turns++) await nextTurn();
    for (const socket of sockets) socket.close(CLOSE_GOING_AWAY, "STOPPING");
    await Promise.all([server.stop(true), irohListener?.then((listener) => listener.stop()).catch(report)]);
    metrics.tellLoopDelay(undefined);
    loopDelay.stop();
  }

  return {
    url: `${tls === undefined ? "http" : "https"}://${address.host}:${server.port}`,
    ...(irohListener === undefined ? {} : { iroh: addressOf(irohListener) }),
    paths: app.paths,
    stop,
  };
}

function addressOf(listener: Promise<IrohListener>): Promise<string> {
  const address = listener.then(({ url }) => url);
  // The caller may ignore the promise.
  address.catch(() => {});
  return address;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
