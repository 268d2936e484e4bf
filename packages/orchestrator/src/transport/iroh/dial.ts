// How a client reaches a node by iroh: `connect({ url: "iroh://…", as, dial: irohDial() })`. The other side proves the key in the URL
// before a byte of ours is sent. An endpoint is there while a connection needs one.

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { FaultError, fault } from "../../fault/fault.ts";
import { systemTimers, type Timers } from "../../time/timers.ts";
import type { Dial } from "../link.ts";
import { type Connection, type Endpoint, type EndpointId, type Iroh, irohReason, loadIroh } from "./addon.ts";
import { DEFAULT_RELAY, type IrohAddress, parseIrohUrl } from "./address.ts";
import { ALPN, bindEndpoint } from "./bind.ts";
import { StreamLink } from "./stream-link.ts";

/** How nodes are dialled over iroh. */
export interface IrohDialOptions {
  /** How long the node has to answer; default 8 s. */
  readonly timeoutMs?: number;
  /** The ed25519 secret key to be known by, 32 bytes; without one each endpoint is somebody new. */
  readonly secretKey?: Uint8Array;
  /** Bytes of the largest frame that is taken from a node; default 64 MiB. */
  readonly frameBytes?: number;
  readonly timers?: Timers;
}

const TIMEOUT_MS = 8_000;
/** Four times what a node of default limits sends. */
const FRAME_BYTES = 64 * 1024 * 1024;

/** What a dial rejects with is a FaultError: IROH_UNAVAILABLE, IROH_ADDRESS_INVALID, UNREACHABLE. */
export function irohDial(options: IrohDialOptions = {}): Dial {
  const dialler = new Dialler(options);
  return (url) => dialler.dial(url);
}

class Dialler {
  readonly #options: IrohDialOptions;
  readonly #timers: Timers;
  /** One for each choice of relays. */
  readonly #endpoints = new Map<string, Shared>();

  constructor(options: IrohDialOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
  }

  async dial(url: string): Promise<StreamLink> {
    const address = parseIrohUrl(url);
    if (address.addresses.length === 0 && address.relay === undefined) {
      const say = "say where it is: ?addr=host:port, or ?relay=… if both sides use one";
      throw new FaultError(fault("IROH_ADDRESS_INVALID", `nothing says where the node ${address.id} is; ${say}`));
    }
    const iroh = await loadIroh();
    const use = this.#share(iroh, address.relay).use();
    try {
      const { timeoutMs = TIMEOUT_MS } = this.#options;
      return await within(this.#timers, timeoutMs, this.#open(iroh, use, address), (late) => late.terminate());
    } catch (thrown) {
      use.end();
      if (thrown instanceof FaultError) throw thrown;
      const why = irohReason(thrown);
      throw new FaultError(fault("UNREACHABLE", `the node ${address.id} does not answer: ${inWords(why)}`));
    }
  }

  async #open(iroh: Iroh, use: Use, address: IrohAddress): Promise<StreamLink> {
    const id = publicKey(iroh, address.id);
    const relay = address.relay === DEFAULT_RELAY ? null : (address.relay ?? null);
    const sockets = (await Promise.all(address.addresses.map(resolved))).flat();
    const endpoint = await use.endpoint;
    const connection = await endpoint.connect(new iroh.EndpointAddr(id, relay, sockets), ALPN);
    check(connection, address.id);
    const stream = await connection.openBi();
    const { frameBytes = FRAME_BYTES } = this.#options;
    const link = new StreamLink({
      ...{ connection, stream, timers: this.#timers },
      arriving: (bytes) => {
        if (bytes <= frameBytes) return;
        throw new FaultError(
          fault("FRAME_INVALID", `the node sends a frame of ${bytes} bytes: ${frameBytes} are taken`),
        );
      },
    });
    void link.over.then(use.end);
    return link;
  }

  #share(iroh: Iroh, relay: string | undefined): Shared {
    const key = relay ?? "";
    const there = this.#endpoints.get(key);
    if (there !== undefined) return there;
    const { secretKey } = this.#options;
    const endpoint = bindEndpoint(iroh, {
      ...(secretKey === undefined ? {} : { secretKey }),
      ...{ listens: false, hostname: "0.0.0.0", port: 0, relays: relay === undefined ? [] : [relay] },
    });
    const shared = new Shared(endpoint, () => this.#endpoints.delete(key));
    this.#endpoints.set(key, shared);
    return shared;
  }
}

interface Use {
  readonly endpoint: Promise<Endpoint>;
  /** Once or oftener. */
  end(): void;
}

/** An endpoint and how many use it; the last one closes it. */
class Shared {
  readonly #endpoint: Promise<Endpoint>;
  readonly #over: () => void;
  readonly #uses = new Set<Use>();

  constructor(endpoint: Promise<Endpoint>, over: () => void) {
    this.#endpoint = endpoint;
    this.#over = over;
    // Whoever dials hears of it.
    endpoint.catch(() => {});
  }

  use(): Use {
    const use: Use = { endpoint: this.#endpoint, end: () => this.#end(use) };
    this.#uses.add(use);
    return use;
  }

  #end(use: Use): void {
    if (!this.#uses.delete(use) || this.#uses.size > 0) return;
    this.#over();
    this.#endpoint.then((endpoint) => endpoint.close()).catch(() => {});
  }
}

function publicKey(iroh: Iroh, id: string): EndpointId {
  try {
    return iroh.EndpointId.fromString(id);
  } catch {
    throw new FaultError(fault("IROH_ADDRESS_INVALID", `${id} is no public key`));
  }
}

/** iroh has proved it in the handshake; a connection with anybody else is never used, whatever else changes. */
function check(connection: Connection, id: string): void {
  if (connection.remoteId().toString() === id) return;
  connection.close(0n, []);
  throw new Error("another node answered");
}

/** A name is looked up; iroh takes IP addresses. */
async function resolved(address: string): Promise<string[]> {
  const colon = address.lastIndexOf(":");
  const port = address.slice(colon + 1);
  const host = address.slice(0, colon).replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0) return [address];
  const found = await lookup(host, { all: true });
  return found.map((one) => (one.family === 6 ? `[${one.address}]:${port}` : `${one.address}:${port}`));
}

function within<T>(timers: Timers, ms: number, work: Promise<T>, late: (value: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let over = false;
    const cancel = timers.after(ms, () => {
      over = true;
      reject(new Error(`not within ${ms / 1000} s`));
    });
    work.then(
      (value) => {
        cancel();
        if (over) late(value);
        else resolve(value);
      },
      (thrown) => {
        cancel();
        reject(thrown);
      },
    );
  });
}

/** Of what a handshake fails with, the two that an operator can do something about. */
function inWords(why: string): string {
  if (/UnknownIssuer|invalid peer certificate/.test(why)) return "another key answers at its address";
  if (/error 120|known protocol/.test(why)) return "it does not speak capstan/rpc/1";
  return why;
}
