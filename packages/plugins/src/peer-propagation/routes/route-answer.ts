// Routes as they are shown: the best way to each, or all ways, and of those that were filtered by what.

import type { Envelope, Reader } from "@capstan/orchestrator";
import { FaultError } from "@capstan/orchestrator";
import { listOf, type Path } from "@capstan/peer";
import type { Running } from "../peering.ts";
import { peerTable } from "../schema.ts";
import { unknownPeer } from "../unknown-peer.ts";

const PAGE = 100;

interface Asked {
  readonly peer?: string;
  readonly filtered?: boolean;
  readonly after?: string;
  readonly limit?: number;
}

export function answerRoutes({ message }: Envelope, reader: Reader, running: Running | undefined) {
  const { peer, filtered, after, limit = PAGE } = message.data as Asked;
  const row = peer === undefined ? undefined : reader.get(peerTable, peer);
  if (peer !== undefined && row === undefined)
    throw new FaultError(
      unknownPeer(
        peer,
        [...reader.rows(peerTable)].map(([one]) => one),
      ),
    );
  if (running === undefined) return { items: [] };
  const { rib } = running.host.speaker;
  const names = new Set<string>();
  if (row === undefined) {
    for (const name of rib.names()) names.add(name);
    // What is filtered alone is in no Loc-RIB.
    if (filtered)
      for (const [, { node }] of reader.rows(peerTable))
        if (node !== undefined) for (const { name } of rib.received(node)) names.add(name);
  } else if (row.node !== undefined) {
    for (const path of rib.received(row.node)) names.add(path.name);
  }
  const items: ReturnType<typeof shownPath>[] = [];
  let next: string | undefined;
  for (const name of [...names].sort()) {
    if (after !== undefined && name <= after) continue;
    if (items.length >= limit) {
      next = (items.at(-1) as { route: string }).route;
      break;
    }
    items.push(...pathsOf(running, name).filter((path) => wanted(path, row?.node, filtered === true)));
  }
  return { items, ...(next === undefined ? {} : { next }) };
}

export function answerRoute({ message }: Envelope, running: Running | undefined) {
  const { route } = message.data as { readonly route: string };
  return { route, paths: running === undefined ? [] : pathsOf(running, route) };
}

type Shown = ReturnType<typeof shownPath>;

function wanted({ node, best, filtered }: Shown, of: string | undefined, withFiltered: boolean): boolean {
  if (of !== undefined) return node === of && (withFiltered || filtered === undefined);
  return best || (withFiltered && filtered !== undefined);
}

function pathsOf({ host, peers }: Running, name: string): Shown[] {
  const { rib } = host.speaker;
  const best = rib.best(name);
  return rib.pathsOf(name).map((path) => shownPath(path, path === best, (node) => peers.nameOf(node)));
}

function shownPath(
  { name, digest, repeatable, attributes, filtered, stale }: Path,
  best: boolean,
  nameOf: (node: string) => string | undefined,
) {
  const { peer: node, path, localPreference, tags, chunk } = attributes;
  return {
    route: name,
    ...(node === undefined ? {} : { peer: nameOf(node) ?? node, node }),
    path: listOf(path),
    ...{ origin: chunk.claim.node, originDomain: chunk.claim.domain, digest, localPreference, tags: listOf(tags) },
    ...(repeatable === undefined ? {} : { repeatable }),
    ...(stale ? { stale } : {}),
    ...(filtered === undefined ? {} : { filtered: { ...filtered } }),
    best,
  };
}
