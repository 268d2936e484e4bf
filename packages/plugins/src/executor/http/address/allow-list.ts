// What the operator lets requests reach beside public addresses. A name is allowed by its name and an address by its address:
// a name that anyone may point at 10.0.0.5 is not let through because 10.0.0.0/8 is.

import { type IpAddress, isWithin, type Network, network, parseIp } from "./ip-address.ts";

export interface AllowList {
  /** Whether a name, as a URL has it, may be of addresses that are not public. */
  name(name: string, port: number): boolean;
  address(address: IpAddress, port: number): boolean;
}

type Entry = { readonly port: number | undefined } & ({ readonly name: string } | { readonly network: Network });

const FORM = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\*|\d{1,5}))?$/;
const NAME = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/** Throws a TypeError for an entry that is none: it is the operator's, and said at start. */
export function allowList(entries: readonly string[]): AllowList {
  const parsed = entries.map(parseEntry);
  return {
    name(name, port) {
      return parsed.some((one) => "name" in one && covers(one.port, port) && nameCovers(one.name, name));
    },
    address(address, port) {
      return parsed.some((one) => "network" in one && covers(one.port, port) && isWithin(address, one.network));
    },
  };
}

function parseEntry(entry: string): Entry {
  const text = entry.trim();
  // An IPv6 address without brackets has no port.
  const [, bracketed, plain, port] = FORM.exec(text) ?? (text.includes("::") ? [text, text] : []);
  const host = (bracketed ?? plain ?? "").toLowerCase();
  const number = port === undefined || port === "*" ? undefined : Number(port);
  if (number !== undefined && (number < 1 || number > 65_535)) throw unreadable(entry);
  const [address = "", length] = host.split("/");
  const ip = parseIp(address);
  if (ip !== undefined) {
    // An IPv4-mapped network is none that anything is compared with.
    if (length !== undefined && ip.version === 4 && address.includes(":")) throw unreadable(entry);
    return { network: networkOf(`${ip.text}/${length ?? (ip.version === 4 ? 32 : 128)}`, entry), port: number };
  }
  const name = host.replace(/\.$/, "");
  // Digits alone are an address in some spelling, which a URL never keeps.
  if (bracketed !== undefined || length !== undefined || !NAME.test(name) || /(^|\.)(\d+|0x[0-9a-f]*)$/.test(name)) {
    throw unreadable(entry);
  }
  return { name, port: number };
}

function networkOf(text: string, entry: string): Network {
  try {
    return network(text);
  } catch {
    throw unreadable(entry);
  }
}

function unreadable(entry: string): TypeError {
  const forms = "127.0.0.1:8080, 10.0.0.0/8, [fd00::/8]:443, localhost:* or *.intern.example:443";
  return new TypeError(`http: allow: ${JSON.stringify(entry)} is not of the form ${forms}`);
}

function covers(allowed: number | undefined, port: number): boolean {
  return allowed === undefined || allowed === port;
}

function nameCovers(allowed: string, name: string): boolean {
  return allowed.startsWith("*.") ? name.endsWith(allowed.slice(1)) : allowed === name;
}
