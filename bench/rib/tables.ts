// What a peer of a larger network announces: fifty origins with a thousand routes each, signed by them in chunks, and what an
// operator would have set up for it: who owns what, what comes in from whom, and what goes out.

import {
  type Announcement,
  defaultLimits,
  encodeFrame,
  type Owner,
  type RibConfig,
  type RibPeer,
  type RoutePolicy,
  signChunks,
  signWith,
  verifySignature,
  wordsOf,
} from "@capstan/peer";

export const ROUTES = 50_000;
const ORIGINS = 50;
const ROUTES_AN_ORIGIN = ROUTES / ORIGINS;
/** Routes that a node signs together, and an update carries. */
const CHUNK = 256;
const ROUTES_AN_UPDATE = 1024;
/** Seconds since 1970. */
export const WALL = 1_800_000_000;
const LIFETIME = 86_400;

/** `shared`: by the chunk, as nodes do it. `distinct`: every route with a signature and attributes of its own. */
export type Shape = "shared" | "distinct";

/** The nearer, the lower its number: the first one's paths are the best. */
export const PEERS = [1, 2, 3, 4] as const;
export type PeerNumber = (typeof PEERS)[number];

interface Origin {
  readonly node: string;
  readonly domain: string;
  readonly names: string;
  readonly identity: ReturnType<typeof signWith>;
}

const pad = (n: number, digits: number): string => String(n).padStart(digits, "0");
const seed = (text: string): Uint8Array => Buffer.alloc(32, `${text} `);

const origins: readonly Origin[] = Array.from({ length: ORIGINS }, (_, n) => {
  const team = `team-${pad(n, 2)}`;
  return { node: `n-${team}`, domain: `d-${team}`, names: `action:${team}.`, identity: signWith(seed(team)) };
});

/** As it stands for a peer that is `number` domains away from the origins. */
export function* updatesFrom(number: PeerNumber, shape: Shape): Generator<string> {
  let seq = 0;
  let announce: Announcement[] = [];
  let routes = 0;
  const make = (): string => {
    const text = encodeFrame({ type: "update", seq: seq++, withdraw: [], announce });
    announce = [];
    routes = 0;
    return text;
  };
  for (const origin of origins) {
    for (const one of announcementsOf(origin, number, shape)) {
      if (routes + one.leaves.length > ROUTES_AN_UPDATE) yield make();
      announce.push(one);
      routes += one.leaves.length;
    }
  }
  if (announce.length > 0) yield make();
}

/** Routes that come one by one, later: of origins that are known, under names that are new. */
export function* liveUpdates(count: number): Generator<string> {
  for (let n = 0; n < count; n++) {
    const origin = origins[n % ORIGINS] as Origin;
    const leaf = leafOf(`${origin.names}live.task-${pad(n, 5)}`);
    yield encodeFrame({ type: "update", seq: n, withdraw: [], announce: [...signed(origin, [leaf], 1, 1, [])] });
  }
}

function announcementsOf(origin: Origin, number: PeerNumber, shape: Shape): Generator<Announcement> {
  const leaves = Array.from({ length: ROUTES_AN_ORIGIN }, (_, n) => {
    const noun = ["orders", "stock", "invoices", "reports"][n % 4] as string;
    return leafOf(`${origin.names}${noun}.task-${pad(n, 4)}`);
  });
  return signed(origin, leaves, number, shape === "shared" ? CHUNK : 1, shape === "shared" ? [] : ["lane"]);
}

/** `own`: the word of a tag that no two announcements share. */
function* signed(
  { node, domain, identity }: Origin,
  leaves: readonly (readonly [string, string])[],
  number: PeerNumber,
  chunkSize: number,
  own: readonly string[],
): Generator<Announcement> {
  const who = { node, domain, key: identity.publicKey, epoch: 7, expires: WALL + LIFETIME, chunkSize };
  const transits = Array.from({ length: number }, (_, hop) => `d-transit-${hop}`);
  let n = 0;
  for (const { claim, leaves: told } of signChunks(leaves, who, identity.sign)) {
    const tags = ["region-eu", "tier-2", ...own.map((word) => `${word}-${node}-${n++}`)];
    yield {
      path: wordsOf([peerDomain(number), ...transits, domain]),
      tags: wordsOf(tags),
      origin: claim,
      leaves: [...told] as Announcement["leaves"],
    };
  }
}

/** With a digest of its own, as an action's schemas have. */
function leafOf(name: string): readonly [name: string, digest: string] {
  return [name, Bun.SHA256.hash(`schemas of ${name}`, "base64url") as string];
}

const peerDomain = (number: number): string => `d-peer-${number}`;

/** Two hundred entries: those who announce, and others. */
const owners: readonly Owner[] = [
  ...origins.map(({ node, names, identity }) => ({
    routes: [`${names}*`, `topic:action.${names.slice("action:".length)}*`],
    node,
    keys: [identity.publicKey],
  })),
  ...Array.from({ length: 150 }, (_, n) => ({
    routes: [`action:unit-${n}.*`, `channel:unit-${n}`],
    node: `n-unit-${n}`,
    keys: [signWith(seed(`unit ${n}`)).publicKey],
  })),
];

const importPolicy: RoutePolicy = {
  clauses: [
    { name: "nothing internal", then: "reject", match: { routes: ["action:internal.*", "topic:internal.*"] } },
    { name: "not through them", then: "reject", match: { through: ["d-left", "d-right"] } },
    {
      name: "retired",
      then: "reject",
      match: { routes: Array.from({ length: 200 }, (_, n) => `action:old.task-${n}`) },
    },
    {
      name: "partners first",
      then: "accept",
      match: { originDomains: origins.slice(0, 10).map(({ domain }) => domain) },
      set: { localPreference: 200, addTags: ["partner"] },
    },
    { name: "for emergencies", then: "accept", match: { tags: ["backup"] }, set: { localPreference: 50 } },
    { name: "teams", then: "accept", match: { routes: ["action:team-*", "topic:*"] }, set: { addTags: ["transit"] } },
    { name: "whatever is near", then: "accept", match: { maxPathLength: 4 } },
  ],
};

const exportPolicy: RoutePolicy = {
  clauses: [
    { name: "nothing internal", then: "reject", match: { routes: ["action:internal.*", "topic:internal.*"] } },
    { name: "not what is for us", then: "reject", match: { tags: ["no-export"] } },
    { name: "all else", then: "accept", set: { removeTags: ["transit"] } },
  ],
};

export function ribConfig(node: string): RibConfig {
  return {
    ...{ node, domain: `d-${node}`, owners, verify: verifySignature },
    ...{ tolerance: 300, maxLifetime: 7 * LIFETIME, epochGrace: 120_000 },
  };
}

export const peerNode = (number: PeerNumber): string => `n-peer-${number}`;

export function ribPeer(number: PeerNumber): RibPeer {
  return neighbour(peerNode(number), peerDomain(number));
}

/** A peer of `node`'s kind: a domain of its own. */
export function neighbour(node: string, domain: string): RibPeer {
  return { node, domain, keys: [], import: importPolicy, export: exportPolicy, limits };
}

const limits = {
  ...defaultLimits,
  routes: { ...defaultLimits.routes, routes: 4 * ROUTES },
  updateRoutes: ROUTES_AN_UPDATE,
};
