// A node's endpoint: takes the connections that come, each in its own try, and gives each its one stream. What an incoming connection
// does wrong is that connection's end and nobody else's.

import { FaultError, fault } from "../../fault/fault.ts";
import type { Timers } from "../../time/timers.ts";
import { type Arrival, CLOSE_GOING_AWAY, CLOSE_POLICY } from "../link.ts";
import { type Connection, type Endpoint, type Incoming, irohReason, loadIroh } from "./addon.ts";
import { formatIrohUrl } from "./address.ts";
import { bindEndpoint, bytes, type EndpointOptions } from "./bind.ts";
import { StreamLink } from "./stream-link.ts";

export interface IrohListenerOptions extends Omit<EndpointOptions, "listens"> {
  readonly timers: Timers;
  readonly arrived: (connection: { terminate(): void }) => Arrival;
}

/** Handshakes under way: from there on whoever comes has to show that the address is theirs, and from the second on is turned away. */
const MOST_UNPROVEN = 32;
const MOST_HANDSHAKES = 256;
/** Unread bytes of one connection. */
const WINDOW_BYTES = 1024n * 1024n;
const LONGEST_CLOSE_MS = 5_000;
const RETRY_MS = 1_000;

export class IrohListener {
  /** `iroh://<node id>?addr=…` */
  readonly url: string;
  readonly #endpoint: Endpoint;
  readonly #options: IrohListenerOptions;
  /** With its link, once it has one. */
  readonly #connections = new Map<Connection, StreamLink | undefined>();
  #handshakes = 0;
  #stopping = false;

  private constructor(endpoint: Endpoint, options: IrohListenerOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
    const [relay] = options.relays;
    const [own = ""] = endpoint.boundSockets();
    // Of an endpoint that listens everywhere iroh knows where that is.
    const addresses = isUnspecified(options.hostname) ? endpoint.addr().directAddresses() : [own];
    this.url = formatIrohUrl({
      ...{ id: endpoint.id().toString(), addresses },
      ...(relay === undefined ? {} : { relay }),
    });
  }

  /** @throws FaultError IROH_UNAVAILABLE; an Error with `code` where the address cannot be bound, as Bun.serve throws it */
  static async open(options: IrohListenerOptions): Promise<IrohListener> {
    const iroh = await loadIroh();
    let endpoint: Endpoint;
    try {
      endpoint = await bindEndpoint(iroh, { ...options, listens: true });
    } catch (thrown) {
      throw bindError(thrown);
    }
    const listener = new IrohListener(endpoint, options);
    void listener.#accept();
    return listener;
  }

  get sockets(): readonly string[] {
    return this.#endpoint.boundSockets();
  }

  /** Takes nobody new; ends the open links as `STOPPING`, once what was sent has left. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const over = [...this.#connections.keys()].map((connection) => connection.closed().catch(() => {}));
    for (const [connection, link] of this.#connections) {
      if (link === undefined) turnAway(connection);
      else link.close(CLOSE_GOING_AWAY, "STOPPING");
    }
    const late = Promise.withResolvers<void>();
    const cancel = this.#options.timers.after(LONGEST_CLOSE_MS, late.resolve);
    await Promise.race([Promise.all(over), late.promise]);
    cancel();
    await this.#endpoint.close();
  }

  async #accept(): Promise<void> {
    for (;;) {
      let incoming: Incoming | null;
      try {
        incoming = await this.#endpoint.acceptNext();
      } catch {
        if (this.#endpoint.isClosed()) return;
        await new Promise<void>((resolve) => this.#options.timers.after(RETRY_MS, resolve));
        continue;
      }
      if (incoming === null) return;
      // Refused, retried, with another ALPN or broken off: it says so by throwing, and there is nobody to tell.
      this.#take(incoming).catch(() => {});
    }
  }

  async #take(incoming: Incoming): Promise<void> {
    if (this.#stopping || this.#handshakes >= MOST_HANDSHAKES) return incoming.refuse();
    if (this.#handshakes >= MOST_UNPROVEN && !(await incoming.remoteAddrValidated())) return incoming.retry();
    const connection = await this.#shake(incoming);
    // One stream a connection, and no others.
    connection.setMaxConcurrentBiStreams(1n);
    connection.setMaxConcurrentUniStreams(0n);
    connection.setReceiveWindow(WINDOW_BYTES);
    if (this.#stopping) return turnAway(connection);
    this.#connections.set(connection, undefined);
    const { arrived, timers } = this.#options;
    const arrival = arrived({ terminate: () => connection.close(BigInt(CLOSE_POLICY), bytes("SESSION_BUDGET")) });
    const left = (): void => {
      this.#connections.delete(connection);
      arrival.left();
    };
    connection.closed().then(left, left);
    const stream = await connection.acceptBi();
    const link = new StreamLink({
      connection,
      stream,
      timers,

      arriving: (size) => arrival.arriving(size),
    });
    this.#connections.set(connection, link);
    link.carry(arrival.opened(link));
  }

  async #shake(incoming: Incoming): Promise<Connection> {
    this.#handshakes++;
    try {
      return await (await incoming.accept()).connect();
    } finally {
      this.#handshakes--;
    }
  }
}

function isUnspecified(hostname: string): boolean {
  return hostname === "0.0.0.0" || hostname === "::";
}

function turnAway(connection: Connection): void {
  connection.close(BigInt(CLOSE_GOING_AWAY), bytes("STOPPING"));
}

/** With the code that a system gives it, which is what the caller tells apart. */
function bindError(thrown: unknown): unknown {
  const text = irohReason(thrown);
  const [, number] = /\(os error (\d+)\)/.exec(text) ?? [];
  const code = BIND_CODES[number ?? ""];
  if (code !== undefined) return Object.assign(new Error(text), { code });
  return new FaultError(fault("IROH_UNAVAILABLE", `iroh cannot listen: ${text}`));
}

/** As Linux, macOS and Windows number them. */
const BIND_CODES: Readonly<Record<string, string>> = {
  ...{ "98": "EADDRINUSE", "48": "EADDRINUSE", "10048": "EADDRINUSE" },
  ...{ "13": "EACCES", "10013": "EACCES" },
  ...{ "99": "EADDRNOTAVAIL", "49": "EADDRNOTAVAIL", "10049": "EADDRNOTAVAIL" },
};
