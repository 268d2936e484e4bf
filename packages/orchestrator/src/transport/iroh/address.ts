// Where a node is by iroh: `iroh://<its public key>?addr=host:port,host:port&relay=https://…`. The key says who it is, and is what the connection
// proves; the rest says where to look for it.

import { FaultError, fault } from "../../fault/fault.ts";

/** Relays, and the look-up of addresses by keys, that number0 runs. */
export const DEFAULT_RELAY = "default";

/** Where a node is over iroh. */
export interface IrohAddress {
  /** The ed25519 public key, 64 hexadecimal digits. */
  readonly id: string;
  /** `host:port`, UDP. */
  readonly addresses: readonly string[];
  /** A relay's URL, or `default`. */
  readonly relay?: string;
}

const SCHEME = "iroh://";
const ADDRESS = /^(\[[0-9a-fA-F:.]+\]|[\p{L}\p{N}._-]+):(\d{1,5})$/u;

/** Whether a URL is an `iroh://` one. */
export function isIrohUrl(url: string): boolean {
  return url.slice(0, SCHEME.length).toLowerCase() === SCHEME;
}

/** @throws FaultError IROH_ADDRESS_INVALID */
export function parseIrohUrl(text: string): IrohAddress {
  const [, id, query] = /^iroh:\/\/([0-9a-f]{64})\/?(?:\?([^#]*))?$/i.exec(text) ?? [];
  if (id === undefined) throw invalid(text, "after iroh:// comes the node's public key, 64 hexadecimal digits");
  const said = new URLSearchParams(query);
  const addresses = said.getAll("addr").flatMap((one) => one.split(","));
  const [relay, ...more] = said.getAll("relay");
  for (const name of said.keys()) {
    if (name !== "addr" && name !== "relay") throw invalid(text, `it may say addr and relay, and not ${name}`);
  }
  if (more.length > 0) throw invalid(text, "it names more than one relay");
  for (const one of addresses) {
    const port = Number(ADDRESS.exec(one)?.[2]);
    if (!(port > 0 && port < 65_536)) throw invalid(text, `addr: ${one} is no host:port`);
  }
  if (relay !== undefined && !isRelay(relay))
    throw invalid(text, `relay: ${relay} is neither an https address nor default`);
  return { id: id.toLowerCase(), addresses, ...(relay === undefined ? {} : { relay }) };
}

export function isRelay(text: string): boolean {
  return text === DEFAULT_RELAY || (/^https?:\/\//.test(text) && URL.canParse(text));
}

/** The `iroh://` URL of an address. */
export function formatIrohUrl({ id, addresses, relay }: IrohAddress): string {
  // With commas: a shell makes something else of an ampersand.
  const where = addresses.length === 0 ? [] : [`addr=${addresses.join(",")}`];
  const said = [...where, ...(relay === undefined ? [] : [`relay=${relay}`])];
  return `${SCHEME}${id}${said.length === 0 ? "" : "?"}${said.join("&")}`;
}

function invalid(text: string, why: string): FaultError {
  return new FaultError(fault("IROH_ADDRESS_INVALID", `${JSON.stringify(text.slice(0, 200))}: ${why}`));
}
