// The tables of a node as it shows them, and how they differ from what they must be.

import type { Table, Way } from "./oracle.ts";

interface ShownRoute {
  readonly route: string;
  readonly peer?: string;
  readonly path: readonly string[];
  readonly origin: string;
  readonly stale?: boolean;
  readonly filtered?: { readonly why: string };
}

interface ShownPeer {
  readonly name: string;
  readonly state: string;
}

/** Of a scope, what is asked here. */
export interface Asked {
  readonly peer: { list(data: object): PromiseLike<{ readonly items: readonly unknown[] }> };
  readonly route: { list(data: object): PromiseLike<{ readonly items: readonly unknown[] }> };
}

const PAGE = { limit: 1000 };
const KIND = "action:";

/** What is wrong, in words; nothing where it is as it must be. `thorough`: also what each neighbour is heard to say. */
export async function differences(scope: Asked, expected: Table, thorough: boolean): Promise<string[]> {
  const [{ items: peers }, { items: best }] = await Promise.all([scope.peer.list(PAGE), scope.route.list(PAGE)]);
  const wrong = [
    ...differentSessions(peers as readonly ShownPeer[], expected.sessions),
    ...different("best", best as readonly ShownRoute[], expected.best),
  ];
  if (wrong.length > 0 || !thorough) return wrong;
  for (const { name } of peers as readonly ShownPeer[]) {
    const { items } = await scope.route.list({ ...PAGE, peer: name, filtered: true });
    wrong.push(...different(`of ${name}`, items as readonly ShownRoute[], expected.heard.get(name) ?? new Map()));
  }
  return wrong;
}

function differentSessions(peers: readonly ShownPeer[], expected: readonly string[]): string[] {
  const got = peers.flatMap(({ name, state }) => (state === "established" ? [name] : [])).toSorted();
  return Bun.deepEquals(got, expected) ? [] : [`sessions: ${got.join(" ")}, and not ${expected.join(" ")}`];
}

function different(table: string, shown: readonly ShownRoute[], expected: ReadonlyMap<string, Way>): string[] {
  const got = new Map(shown.filter(({ route }) => route.startsWith(KIND)).map((one) => [one.route, one]));
  const wrong: string[] = [];
  for (const route of new Set([...got.keys(), ...expected.keys()])) {
    const [here, there] = [got.get(route), expected.get(route)];
    const [is, must] = [
      here === undefined ? "nothing" : shownText(here),
      there === undefined ? "nothing" : wayText(there),
    ];
    if (is !== must) wrong.push(`${table} ${route}: ${is}, and not ${must}`);
  }
  return wrong;
}

function wayText({ peer = "self", path, origin }: Way): string {
  return `${peer} [${path.join(" ")}] of ${origin}`;
}

function shownText({ peer = "self", path, origin, stale, filtered }: ShownRoute): string {
  // Our own path is told with our own domain in front or without: it leads nowhere else.
  const way = wayText({ peer, path: peer === "self" ? [] : path, origin });
  return `${way}${stale ? ", stale" : ""}${filtered === undefined ? "" : `, filtered: ${filtered.why}`}`;
}
