// Whether a service is there: a connection to its checked address, with TLS where the URL says https, closed at once. No request
// is sent: there is none that changes nothing at every service.

import { connect as connectPlain } from "node:net";
import { connect as connectTls } from "node:tls";
import { type Fault, faultOf } from "@capstan/orchestrator";
import { checkedAddresses, hostOf } from "./address/checked-address.ts";
import type { IpAddress } from "./address/ip-address.ts";
import { type Network, tlsFor } from "./exchange.ts";
import { isNotConnected, unreachable } from "./unreachable.ts";

export async function testHttp(origin: URL, network: Network, signal: AbortSignal): Promise<Fault | undefined> {
  try {
    const addresses = await checkedAddresses(hostOf(origin), { ...network, signal });
    for (const [i, address] of addresses.entries()) {
      const thrown = await opened(address, origin, network.ca, signal);
      if (thrown === undefined) return undefined;
      signal.throwIfAborted();
      if (!isNotConnected(thrown) || i + 1 === addresses.length) return unreachable(thrown, origin.origin);
    }
    return undefined;
  } catch (thrown) {
    signal.throwIfAborted();
    return faultOf(thrown);
  }
}

/** What went wrong, or nothing. */
function opened(address: IpAddress, origin: URL, ca: readonly string[], signal: AbortSignal): Promise<unknown> {
  const host = hostOf(origin);
  const to = { host: address.text, port: host.port };
  const { serverName, ca: trusted } = tlsFor(host, ca);
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const socket =
    origin.protocol === "https:"
      ? connectTls({
          ...to,
          rejectUnauthorized: true,
          ...(serverName === undefined ? {} : { servername: serverName }),
          ...(trusted === undefined ? {} : { ca: trusted }),
        })
      : connectPlain(to);
  const abort = () => resolve(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  socket.once(origin.protocol === "https:" ? "secureConnect" : "connect", () => resolve(undefined));
  socket.once("error", resolve);
  socket.once("close", () => resolve({ code: "ECONNRESET" }));
  return promise.finally(() => {
    signal.removeEventListener("abort", abort);
    socket.destroy();
  });
}
