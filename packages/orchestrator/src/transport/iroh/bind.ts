// An endpoint of iroh's: the sockets that it is bound to, the key that it is, the relays that it uses. Nothing outside is asked for
// anything unless a relay is named.

import { isIP } from "node:net";
import type { Endpoint, Iroh } from "./addon.ts";
import { DEFAULT_RELAY } from "./address.ts";

/** RFC 7301: which protocol a connection is for. */
export const ALPN = bytes("capstan/rpc/1");

export interface EndpointOptions {
  /** The ed25519 secret key, 32 bytes; without one the endpoint is somebody new. */
  readonly secretKey?: Uint8Array;
  /** Takes connections. */
  readonly listens: boolean;
  /** Where, as IP addresses. */
  readonly hostname: string;
  readonly port: number;
  /** URLs, or `default`; none: nobody helps to find or to reach anybody. */
  readonly relays: readonly string[];
}

export async function bindEndpoint(iroh: Iroh, options: EndpointOptions): Promise<Endpoint> {
  const [own, other] = sockets(options);
  try {
    return await bind(iroh, options, [own, other]);
  } catch (thrown) {
    // Without the second family there is nothing to bind of it, by iroh's own default either.
    if (!/os error (97|99|10047|10049)\b/.test(String((thrown as Error).message))) throw thrown;
    const endpoint = await bind(iroh, options, [own]);
    if (endpoint.boundSockets().length === 1) return endpoint;
    await endpoint.close();
    throw thrown;
  }
}

function bind(iroh: Iroh, options: EndpointOptions, sockets: readonly string[]): Promise<Endpoint> {
  const builder = iroh.Endpoint.builder();
  const { relays, secretKey, listens } = options;
  if (relays.includes(DEFAULT_RELAY)) {
    iroh.presetN0(builder);
  } else {
    iroh.presetMinimal(builder);
    builder.relayMode(relays.length === 0 ? iroh.RelayMode.disabled() : iroh.RelayMode.customFromUrls([...relays]));
  }
  if (secretKey !== undefined) builder.secretKey([...secretKey]);
  if (listens) builder.alpns([ALPN]);
  for (const socket of sockets) builder.bindAddr(socket);
  return builder.bind();
}

/**
 * The socket that was asked for, and one of the other family: iroh would bind that to every address. Beside a loopback address and
 * beside every address it is the same; beside another it is a loopback one, which nobody else reaches.
 */
function sockets({ hostname, port }: EndpointOptions): readonly [string, string] {
  const host = hostname === "localhost" ? "127.0.0.1" : hostname;
  if (isIP(host) === 6) {
    if (host === "::") return [`[::]:${port}`, `0.0.0.0:${port}`];
    return [`[${host}]:${port}`, host === "::1" ? `127.0.0.1:${port}` : "127.0.0.1:0"];
  }
  if (host === "0.0.0.0") return [`0.0.0.0:${port}`, `[::]:${port}`];
  return [`${host}:${port}`, /^127\./.test(host) ? `[::1]:${port}` : "[::1]:0"];
}

export function bytes(text: string): number[] {
  return [...Buffer.from(text)];
}
