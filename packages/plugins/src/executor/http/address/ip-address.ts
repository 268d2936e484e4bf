// What an IP address is: whether reaching it leaves this machine and its networks. Everything that is not known to be public
// is not. An IPv6 address that stands for an IPv4 one is what that one is.

import { isIP } from "node:net";

export interface IpAddress {
  readonly version: 4 | 6;
  readonly value: bigint;
  /** As it is connected to. */
  readonly text: string;
}

export type Reach =
  | "public"
  | "loopback"
  | "private"
  | "shared"
  | "link-local"
  | "multicast"
  | "unspecified"
  | "documentation"
  | "reserved";

export interface Network {
  readonly version: 4 | 6;
  readonly base: bigint;
  readonly bits: number;
}

const MAPPED = network("::ffff:0:0/96");

/** An address in the usual text forms; `undefined` for anything else, and for one with a zone. An IPv4-mapped one is IPv4. */
export function parseIp(text: string): IpAddress | undefined {
  const version = isIP(text);
  if (version === 4) return ipv4(ipv4Value(text));
  if (version !== 6 || text.includes("%")) return undefined;
  const value = ipv6Value(text);
  if (isWithin({ version: 6, value }, MAPPED)) return ipv4(value & 0xffffffffn);
  return { version: 6, value, text: canonical(text) };
}

export function isWithin(address: Pick<IpAddress, "version" | "value">, { version, base, bits }: Network): boolean {
  const rest = BigInt((version === 4 ? 32 : 128) - bits);
  return address.version === version && address.value >> rest === base >> rest;
}

/** `10.0.0.0/8`. Throws a TypeError for what is none. */
export function network(text: string): Network {
  const [, address = "", length = ""] = /^([0-9a-fA-F:.]+)\/(\d{1,3})$/.exec(text) ?? [];
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  if (version === 0 || Number(length) > most) throw new TypeError(`"${text}" is no network, as 10.0.0.0/8 is one`);
  const base = version === 4 ? ipv4Value(address) : ipv6Value(address);
  return { version: version as 4 | 6, base, bits: Number(length) };
}

/** The first that holds it says what it is. IANA's registries of special-purpose addresses. */
const IPV4: readonly (readonly [Network, Reach])[] = (
  [
    ["0.0.0.0/8", "unspecified"],
    ["10.0.0.0/8", "private"],
    ["100.64.0.0/10", "shared"], // RFC 6598: carriers' NAT
    ["127.0.0.0/8", "loopback"],
    ["169.254.0.0/16", "link-local"], // a cloud's metadata
    ["172.16.0.0/12", "private"],
    ["192.0.0.0/24", "reserved"],
    ["192.0.2.0/24", "documentation"],
    ["192.88.99.0/24", "reserved"], // RFC 7526: 6to4 relays
    ["192.168.0.0/16", "private"],
    ["198.18.0.0/15", "reserved"], // RFC 2544: benchmarks
    ["198.51.100.0/24", "documentation"],
    ["203.0.113.0/24", "documentation"],
    ["224.0.0.0/4", "multicast"],
    ["240.0.0.0/4", "reserved"], // and broadcast
  ] as const
).map(([text, reach]) => [network(text), reach]);

const IPV6: readonly (readonly [Network, Reach])[] = (
  [
    ["::/128", "unspecified"],
    ["::1/128", "loopback"],
    ["2001::/23", "reserved"], // Teredo, ORCHID and others
    ["2001:db8::/32", "documentation"],
    ["3fff::/20", "documentation"],
    ["2000::/3", "public"],
    ["fc00::/7", "private"],
    ["fe80::/10", "link-local"],
    ["fec0::/10", "private"], // RFC 3879: site-local
    ["ff00::/8", "multicast"],
    ["::/0", "reserved"],
  ] as const
).map(([text, reach]) => [network(text), reach]);

const NAT64 = network("64:ff9b::/96"); // RFC 6052: the IPv4 address is the last 32 bits
const SIX_TO_FOUR = network("2002::/16"); // RFC 3056: the 32 bits after the prefix

export function reachOf(address: Pick<IpAddress, "version" | "value">): Reach {
  if (isWithin(address, NAT64)) return reachOf(ipv4(address.value & 0xffffffffn));
  if (isWithin(address, SIX_TO_FOUR)) return reachOf(ipv4((address.value >> 80n) & 0xffffffffn));
  const found = (address.version === 4 ? IPV4 : IPV6).find(([within]) => isWithin(address, within));
  return found?.[1] ?? "public";
}

function ipv4Value(text: string): bigint {
  return text.split(".").reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function ipv4(value: bigint): IpAddress {
  return { version: 4, value, text: [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".") };
}

/** RFC 5952, which is how a URL writes it. */
function canonical(text: string): string {
  return new URL(`http://[${text}]/`).hostname.slice(1, -1);
}

function ipv6Value(text: string): bigint {
  const [head = "", tail] = canonical(text).split("::");
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0n);
  return [...before, ...zeros, ...after].reduce((value, group) => (value << 16n) | group, 0n);
}

function groups(text: string): bigint[] {
  return text === "" ? [] : text.split(":").map((group) => BigInt(`0x${group}`));
}
