// Who talks: a victim, and its two peers, one of its own domain and one of another, with real keys and secrets. What the peers
// say before it is mutated is right, so that what is refused is refused for the mutation.

import {
  type Announcement,
  type Chunk,
  createProver,
  defaultLimits,
  disclose,
  type Message,
  type Open,
  type OriginClaim,
  type Prover,
  type RibPeer,
  type SessionContext,
  secretId,
  signChunks,
  signWith,
  wordsOf,
} from "@capstan/peer";
import { SeededRandom } from "../chaos/seeded-random.ts";

export const NOW = 1_000_000;
export const WALL = 1_800_000_000;
export const VICTIM = { node: "n-victim", domain: "victims" } as const;

const seed = (of: string) => Buffer.alloc(32, `seed of ${of} `);
export const victim = signWith(seed(VICTIM.node));
export const nonce = (text: string) => Buffer.alloc(32, text).toString("base64url");
const GRACEFUL = { name: "graceful-restart", restartTime: 120, restarting: false };
const CAPABILITIES = [GRACEFUL, { name: "route-refresh" }];

export interface Party {
  readonly node: string;
  readonly domain: string;
  readonly key: string;
  readonly prover: Prover;
  /** The victim's side of it. */
  readonly context: SessionContext;
  readonly ribPeer: RibPeer;
  readonly secrets: readonly Uint8Array[];
  /** Where the victim dials it; `undefined`: it dials the victim. */
  readonly address: string | undefined;
  /** What it offers, for the role that it has. */
  readonly open: (role: "dialler" | "acceptor") => Open;
  /** What it may say when the session is established; numbers are put in later. */
  readonly corpus: readonly Message[];
  /** Everything that its origins have signed, as `signedText` has it. */
  readonly signed: ReadonlySet<string>;
}

/** What is said stays the same from run to run; how it is mutated does not. */
const CORPUS_SEED = 1;
const made = new Map<string, Party>();

export function party(node: string, domain: string): Party {
  const known = made.get(node) ?? makeParty(node, domain, new SeededRandom(CORPUS_SEED));
  made.set(node, known);
  return known;
}

function makeParty(node: string, domain: string, random: SeededRandom): Party {
  const identity = signWith(seed(node));
  const secret = Buffer.alloc(32, `secret of ${node} `);
  const next = Buffer.alloc(32, `next secret of ${node} `);
  const internal = domain === VICTIM.domain;
  const context: SessionContext = {
    now: NOW,
    random: () => 0.5,
    nonce: () => nonce("victim"),
    prover: createProver({ secrets: [secret, next], sign: victim.sign, keys: [identity.publicKey] }),
    config: {
      local: { ...VICTIM, name: "victim", key: victim.publicKey, epoch: 5 },
      peer: { node, keys: [identity.publicKey], domain: internal ? domain : undefined },
      passive: false,
      holdTime: 90_000,
      minHoldTime: 3_000,
      connectTime: 10_000,
      openTime: 10_000,
      backoff: { first: 1_000, last: 60_000 },
      capabilities: CAPABILITIES,
      required: [],
    },
  };
  const open = (role: "dialler" | "acceptor"): Open => ({
    ...{
      type: "open",
      seq: 0,
      versions: [1],
      node,
      name: node,
      domain,
      key: identity.publicKey,
      epoch: 3,
      holdTime: 30,
    },
    nonce: nonce(node),
    secrets: role === "dialler" ? [secretId(secret), secretId(next)] : [secretId(secret)],
    capabilities: [...CAPABILITIES, { name: "x-unknown", of: { some: ["kind", 1.5, null] } }],
  });
  const all = { then: "accept", name: "all", unowned: true } as const;
  const limits = { ...defaultLimits, damping: undefined };
  const signed = new Set<string>();
  return {
    ...{ node, domain, key: identity.publicKey, context, open, signed },
    ...{ secrets: [secret, next], address: internal ? node : undefined },
    prover: createProver({ secrets: [secret, next], sign: identity.sign, keys: [victim.publicKey] }),
    ribPeer: {
      ...{ node, domain, keys: [identity.publicKey], limits },
      import: { clauses: [all] },
      export: { clauses: [all] },
    },
    corpus: corpusOf({ node, domain, internal, identity, signed, random }),
  };
}

interface Speaking {
  readonly node: string;
  readonly domain: string;
  readonly internal: boolean;
  readonly identity: { readonly publicKey: string; readonly sign: (bytes: Uint8Array) => Uint8Array };
  readonly signed: Set<string>;
  readonly random: SeededRandom;
}

function corpusOf(of: Speaking): Message[] {
  const { random } = of;
  const updates: Message[] = Array.from({ length: 120 }, () => ({
    type: "update",
    seq: 0,
    withdraw: Array.from({ length: random.upTo(3) - 1 }, () => nameOf(random)),
    announce: Array.from({ length: random.upTo(3) }, () => announcementOf(of)),
  }));
  const notification = {
    type: "notification",
    seq: 0,
    code: "cease",
    subcode: "administrative-reset",
    reason: "why",
  } as const;
  return [
    ...updates,
    { type: "end-of-table", seq: 0 },
    { type: "keepalive", seq: 0 },
    { type: "route-refresh", seq: 0, phase: "request" },
    { type: "route-refresh", seq: 0, phase: "begin" },
    notification,
    { type: "close", seq: 0, restart: true, reason: "back soon" },
  ];
}

function announcementOf({ node, domain, internal, identity, signed, random }: Speaking): Announcement {
  const own = random.next() < 0.6;
  const origin = own ? { node, domain } : { node: `n-far-${random.upTo(3)}`, domain: "far" };
  const { publicKey, sign } = own ? identity : signWith(seed(origin.node));
  const names = new Set(Array.from({ length: random.upTo(9) }, () => nameOf(random)));
  const leaves = [...names].map((name) => [name, random.next() < 0.3 ? "" : nonce(name)] as const);
  const who = { ...origin, key: publicKey, epoch: random.next() < 0.95 ? 3 : 2, expires: WALL + 86_400 };
  const [chunk] = signChunks(leaves, who, sign) as [Chunk];
  for (const [name, digest] of leaves) signed.add(signedText(chunk.claim, name, digest));
  const told = random.next() < 0.5 ? names : new Set([...names].filter((_, at) => at === 0 || random.next() < 0.5));
  const passed = random.next() < 0.3 ? ["between", "far"] : ["far"];
  const path = [...(internal ? [] : [domain]), ...(own ? [] : passed)];
  return {
    path: wordsOf(path),
    ...(internal && random.next() < 0.5 ? { localPreference: random.upTo(300) } : {}),
    ...(random.next() < 0.5 ? { tags: `public t-${random.upTo(4)}` } : {}),
    origin: chunk.claim,
    leaves: disclose(chunk, told) as Announcement["leaves"],
  };
}

export function signedText(claim: OriginClaim, name: string, digest: string): string {
  const { node, domain, key, epoch, expires, size, signature } = claim;
  return [name, digest, node, domain, key, epoch, expires, size, signature].join(" ");
}

function nameOf(random: SeededRandom): string {
  return `${random.pick(["action", "topic", "channel"])}:${random.pick(["greet", "report", "京都", "a/b"])}.${random.upTo(40)}`;
}
