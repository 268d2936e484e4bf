// Where a request may go. A name is resolved once, every address that it has is judged, and the request is sent to one of
// those: what the name resolves to a moment later is of no consequence.

import { lookup } from "node:dns/promises";
import { type Fault, FaultError, fault } from "@capstan/orchestrator";
import { quote } from "../../../registry/quote.ts";
import type { AllowList } from "./allow-list.ts";
import { type IpAddress, parseIp, type Reach, reachOf } from "./ip-address.ts";

/** Every address of a name. Rejects where there is none. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/** A host that stands in a URL, as it is compared: lower case, no brackets, no point at the end. */
export interface Host {
  readonly name: string;
  readonly port: number;
  /** Set where the name is an address. */
  readonly address: IpAddress | undefined;
}

/** As the machine resolves names, its hosts file included. */
export const systemResolve: Resolve = async (name) => {
  const found = await lookup(name, { all: true, verbatim: false });
  return found.map(({ address }) => address);
};

// What a name may be of where the operator lists it. Never a cloud's metadata: only its address itself opens that.
const OPENED_BY_NAME: ReadonlySet<Reach> = new Set(["public", "private", "shared", "loopback"]);

export function hostOf(url: URL): Host {
  const text = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  return { name: text.replace(/\.$/, ""), port, address: parseIp(text) };
}

/** As grants and lists name it: `intern.example:443`, `[::1]:80`. */
export function hostAndPort({ name, port, address }: Host): string {
  return `${address === undefined ? name : bracketed(address)}:${port}`;
}

/** Whether only the operator's list opens it: an address that is not public, or a name that is on the list. */
export function needsAllowance({ name, port, address }: Host, allow: AllowList): boolean {
  return address === undefined ? allow.name(name, port) : reachOf(address) !== "public";
}

/** Why a host cannot be reached by anybody, as far as it can be said without resolving it. */
export function refusedHost(host: Host, allow: AllowList): Fault | undefined {
  const { name, port, address } = host;
  // A URL keeps an empty label; a resolver would be asked for who knows what.
  if (address === undefined && !/^[^.]+(\.[^.]+)*$/.test(name)) {
    return fault("CONFIG_INVALID", `${quote(name)} is no host name`);
  }
  if (address === undefined || reachOf(address) === "public" || allow.address(address, port)) return undefined;
  return refused(`${address.text} is ${words(reachOf(address))}`, hostAndPort(host));
}

/** The addresses that a request to the host may be sent to. @throws FaultError */
export async function checkedAddresses(
  host: Host,
  { allow, resolve, signal }: { readonly allow: AllowList; readonly resolve: Resolve; readonly signal: AbortSignal },
): Promise<readonly IpAddress[]> {
  const flaw = refusedHost(host, allow);
  if (flaw !== undefined) throw new FaultError(flaw);
  if (host.address !== undefined) return [host.address];
  const { name, port } = host;
  const listed = allow.name(name, port);
  const texts = await abandonable(resolve(name), signal).catch((thrown: unknown) => {
    signal.throwIfAborted();
    const code = (thrown as { code?: unknown } | null)?.code;
    const why = typeof code === "string" ? ` (${code})` : "";
    throw new FaultError(fault("HTTP_UNREACHABLE", `${quote(name)} does not resolve to any address${why}`));
  });
  const addresses = texts.map(parseIp);
  if (addresses.length === 0) throw new FaultError(fault("HTTP_UNREACHABLE", `${quote(name)} has no address`));
  for (const [i, address] of addresses.entries()) {
    // One address with a zone or of no known form is enough: whoever answers for the name is not to be followed.
    const reach = address === undefined ? "reserved" : reachOf(address);
    if (reach === "public" || (listed && OPENED_BY_NAME.has(reach))) continue;
    const what = `${quote(name)} resolves to ${quote(texts[i] as string).slice(1, -1)}, which is ${words(reach)}`;
    throw new FaultError(refused(what, hostAndPort(host), listed));
  }
  return addresses as readonly IpAddress[];
}

function refused(what: string, entry: string, listed = false): Fault {
  const hint = listed ? "a name does not open that" : `the operator's httpAllow would have to list ${entry}`;
  return fault("HTTP_ADDRESS_REFUSED", `${what}, not public; ${hint}`);
}

function words(reach: Reach): string {
  return reach === "shared" ? "a carrier's (100.64.0.0/10)" : reach;
}

export function bracketed({ version, text }: IpAddress): string {
  return version === 6 ? `[${text}]` : text;
}

/** A lookup cannot be stopped; whoever waits for it can be let go. */
function abandonable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
