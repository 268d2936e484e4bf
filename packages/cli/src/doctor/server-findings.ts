// The running node, as one asks it from here: whether it answers, which version it is, and who holds the port it should have.

import { connect } from "node:net";
import { parseAddress } from "@capstan/orchestrator/remote";
import { entryCount } from "../output/count.ts";
import { readServerFile } from "../settings/server-file.ts";
import { directly } from "../settings/this-machine.ts";
import { type CertificateTrust, tlsOptions, trustOf } from "../settings/trust.ts";
import { type Finding, Findings } from "./finding.ts";
import { portHolder } from "./port-holder.ts";

export interface Health {
  readonly url: string;
  readonly node: string;
  readonly entries: number;
  /** Of the Capstan that it runs; `undefined` of one that does not tell. */
  readonly version: string | undefined;
  /** The `Date` of its answer, to the second. */
  readonly at: number | undefined;
}

const LONGEST_MS = 2000;

/** What a server says of itself; `undefined` where no node answers at the address. */
export async function healthOf(url: string, trust?: CertificateTrust): Promise<Health | undefined> {
  const tls = trust === undefined ? {} : { tls: tlsOptions(trust) };
  try {
    const signal = AbortSignal.timeout(LONGEST_MS);
    const how = { redirect: "manual", signal, ...directly(url), ...tls } as RequestInit;
    const response = await fetch(`${url}/healthz`, how);
    const { node, entries, version } = (await response.json()) as Record<string, unknown>;
    if (typeof node !== "string" || typeof entries !== "number") return undefined;
    const at = Date.parse(response.headers.get("date") ?? "");
    return {
      ...{ url, node, entries },
      version: typeof version === "string" ? version : undefined,
      at: Number.isNaN(at) ? undefined : at,
    };
  } catch {
    return undefined;
  }
}

/** The node that runs on this data directory, where it answers. */
export async function ownServer(data: string): Promise<Health | undefined> {
  const file = readServerFile(data);
  const health = file === undefined ? undefined : await healthOf(file.url, trustOf(file));
  return health?.node === file?.node ? health : undefined;
}

/** `asked`: where the server should be, and why there. */
export function serverFindings(health: Health | undefined, asked: string, version: string): readonly Finding[] {
  const found = new Findings("server");
  if (health === undefined) return found.ok(`none answers at ${asked}; capstan serve starts one`).list;
  const { node, entries } = health;
  if (health.version !== version) {
    const theirs = health.version ?? "an older version than this";
    return found.warn(`${asked} runs ${theirs}, and this is ${version}`, "restart the node with this version").list;
  }
  return found.ok(`${asked} answers: ${node}, ${entryCount(entries)}, version ${version}`).list;
}

/** Whether a node could listen there. `ours`: the address of the node of this data directory, where one answers. */
export async function portFindings(listen: string, ours: string | undefined): Promise<readonly Finding[]> {
  const found = new Findings("port");
  const { hostname, port } = parseAddress(listen);
  if (port === 0) return found.ok(`${listen} takes any that is free`).list;
  if (ours !== undefined && Number(new URL(ours).port || 80) === port) {
    return found.ok(`${listen} is held by this node`).list;
  }
  const host = hostname === "0.0.0.0" ? "127.0.0.1" : hostname === "::" ? "::1" : hostname;
  if (!(await answers(host, port))) return found.ok(`${listen} is free`).list;
  const other = await healthOf(`http://${host.includes(":") ? `[${host}]` : host}:${port}`);
  const holder = portHolder(port);
  const who = [
    other === undefined ? undefined : `another node, ${other.node}`,
    holder === undefined ? undefined : `process ${holder.pid} (${holder.command})`,
  ].filter((one) => one !== undefined);
  const by = who.join(", ") || "somebody else";
  if (ours !== undefined) {
    const todo = "start it with that --listen again, or put that into its settings: by these it could not start";
    return found.warn(`${listen} is held by ${by}, and this node listens at ${ours}`, todo).list;
  }
  return found.fail(`${listen} is held by ${by}`, "stop who listens there, or choose another with --listen").list;
}

/** Whether anyone takes a connection; looking binds nothing, so that it is in nobody's way. */
function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: LONGEST_MS });
    const end = (answered: boolean) => () => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("connect", end(true));
    socket.once("error", end(false));
    socket.once("timeout", end(false));
  });
}
